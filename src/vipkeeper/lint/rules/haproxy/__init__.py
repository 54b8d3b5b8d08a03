"""VK4xx: haproxy.cfg."""
