"""Linux: netlink, packet sockets, the kernel lease, scheduling, clock, systemd notify."""
