"""VK6xx: what must be the same, or must differ, between servers."""
