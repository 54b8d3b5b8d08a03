"""Who has the VIP, and whether packets reach it."""
