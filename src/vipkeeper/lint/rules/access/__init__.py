"""VK5xx: kubeconfigs, systemd units, values of CNI charts."""
