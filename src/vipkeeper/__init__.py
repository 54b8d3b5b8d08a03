"""vipkeeper: holds, explains and proves the virtual IP of a Kubernetes control plane."""

__version__ = "0.1.0"
