"""VK2xx: kube-vip, however it is installed."""
