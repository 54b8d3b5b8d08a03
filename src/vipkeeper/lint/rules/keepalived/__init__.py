"""VK3xx: keepalived.conf."""
