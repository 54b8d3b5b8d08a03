"""Messages of a cluster that ran: certificates and names of nodes, restarts, resets, the kernel."""

from __future__ import annotations

from vipkeeper.diagnose.message import Message, Where

_SUPERVISOR = (Where.SUPERVISOR,)
_KERNEL = (Where.KERNEL,)

MESSAGES = (
    Message(
        "kubelet-certificate-name",
        (":10250/…x509: certificate is valid for …, not ",),
        "a kubelet registered an address that its certificate does not name, perhaps the VIP",
        (Where.API_SERVER, Where.CLIENT),
        ("rancher/rke2#4250", "kube-vip/kube-vip#741", "lablabs/ansible-role-rke2#158"),
    ),
    Message(
        "tunnel-missing",
        (
            "proxy error from 127.0.0.1:9345 while dialing …:10250, code 50",
            "failed to find Session for client",
        ),
        "a node has no tunnel to this server: its way to port 9345 of it is closed",
        (Where.SUPERVISOR, Where.API_SERVER, Where.CLIENT),
        ("rancher/rke2#7465", "k3s-io/k3s#11418", "k3s-io/k3s#10474", "k3s-io/k3s#10653"),
    ),
    Message(
        "tunnel-retry",
        ("Remotedialer proxy error; reconnecting",),
        "the tunnel to a server does not come up: it is down, or its address is wrong",
        _SUPERVISOR,
        ("rancher/rke2#5775",),
    ),
    Message(
        "supervisor-lease-refused",
        ("/leases/rke2…connection refused", "/leases/k3s…connection refused"),
        "the supervisor cannot reach its own API server",
        _SUPERVISOR,
        ("rancher/rancher#56031",),
    ),
    Message(
        "leader-election-lost",
        ("leaderelection lost",),
        "a controller lost its Lease and ends; in k3s the whole server ends with it",
        (Where.SUPERVISOR, Where.OTHER),
        ("rancher/rancher#56031",),
    ),
    Message(
        "api-etcd-check-failed",
        ("[-]etcd failed: reason withheld",),
        "the API server's own check of etcd fails: look at etcd, not at the API server",
        (Where.SUPERVISOR, Where.API_SERVER, Where.CLIENT),
        ("k8s.io/apiserver: pkg/server/healthz",),
    ),
    Message(
        "api-livez-failed",
        ("livez check failed",),
        "the API server is not well by its own account; the kubelet will restart it",
        (Where.SUPERVISOR, Where.API_SERVER),
        ("k8s.io/apiserver: pkg/server/healthz",),
    ),
    Message(
        "api-killed-by-probe",
        ("Container kube-apiserver failed liveness probe, will be restarted",),
        "the kubelet restarts the API server because its liveness check failed",
        _SUPERVISOR,
        ("kubernetes: pkg/kubelet/kuberuntime",),
    ),
    Message(
        "api-not-ready",
        ("apiserver not ready",),
        "the supervisor answers in place of an API server that does not run yet",
        (Where.SUPERVISOR, Where.CLIENT),
        ("k3s: pkg/server/handlers",),
    ),
    Message(
        "container-crash-loop",
        ("CrashLoopBackOff",),
        "a container ends again and again; the line names it",
        _SUPERVISOR,
        ("kubernetes: pkg/kubelet/kuberuntime",),
    ),
    Message(
        "supervisor-restarts",
        ("Scheduled restart job, restart counter is at",),
        "systemd starts a service again that has ended; the line names it",
        _SUPERVISOR,
        ("systemd: src/core/service.c",),
    ),
    Message(
        "calico-address-conflict",
        ("Calico node …is already using the IPv4 address",),
        "Calico took the VIP for a node's address",
        (Where.OTHER,),
        ("projectcalico/calico#1628", "projectcalico/calico#6711"),
    ),
    Message(
        "reset-with-server",
        ("cannot perform cluster-reset while server URL is set",),
        "'server' must be taken out of the configuration for a reset",
        _SUPERVISOR,
        ("rancher/rke2#3178", "k3s-io/k3s#8488"),
    ),
    Message(
        "reset-already-done",
        ("Managed etcd cluster membership was previously reset",),
        "a reset was done before, or cluster-reset was left in the configuration",
        _SUPERVISOR,
        ("k3s: pkg/etcd/etcd.go",),
    ),
    Message(
        "reset-done",
        ("Managed etcd cluster membership has been reset, restart without --cluster-reset",),
        "a reset succeeded; the others must lose their old data before they join again",
        _SUPERVISOR,
        ("k3s: pkg/etcd/etcd.go",),
    ),
    Message(
        "restore-argument-missing",
        ("etcd: snapshot path does not exist", "please pass --token to complete the restoration"),
        "a restore lacks its snapshot or the cluster's token",
        _SUPERVISOR,
        ("k3s-io/k3s#10459",),
    ),
    Message(
        "link-down",
        ("Link is Down", ": Lost carrier", "link status definitely down for interface"),
        "an interface lost its carrier",
        _KERNEL,
    ),
    Message(
        "out-of-memory",
        ("Out of memory: Killed process", "Memory cgroup out of memory"),
        "the kernel killed a process because memory ran out",
        _KERNEL,
        ("linux: mm/oom_kill.c",),
    ),
    Message(
        "task-hung",
        ("blocked for more than …seconds",),
        "a process waited for a disk for minutes",
        _KERNEL,
        ("linux: kernel/hung_task.c",),
    ),
    Message(
        "cpu-stalled",
        ("soft lockup - CPU", "rcu_sched self-detected stall", "rcu: INFO: rcu_preempt"),
        "a processor did nothing useful for seconds: the host, or the hypervisor under it, is stalled",
        _KERNEL,
        ("linux: kernel/watchdog.c",),
    ),
    Message(
        "disk-error",
        (
            "blk_update_request: I/O error",
            "Buffer I/O error on dev",
            "Remounting filesystem read-only",
        ),
        "a disk of this host fails",
        _KERNEL,
    ),
)
