"""The rules, one a file, by family: `VK1xx` config of RKE2 and k3s, `VK2xx` kube-vip, `VK3xx` keepalived,
`VK4xx` haproxy, `VK5xx` kubeconfig, systemd and CNI values, `VK6xx` between servers, `VK7xx` our own
configuration, `VK0xx` files that cannot be read and the linter itself.
"""
