"""Tables as data: the configuration keys of RKE2 and k3s."""
