"""VK7xx: our own cluster.yaml."""
