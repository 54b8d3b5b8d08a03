"""VK1xx: config.yaml of RKE2 and k3s, its drop-ins and environment."""
