"""The environment variables of kube-vip, by type.

Source: kube-vip pkg/kubevip/config_envvar.go and config_environment.go of v1.2.3. What it
was compared with by hand is in docs/lint.md.
"""

from __future__ import annotations

SWITCHES = frozenset(
    [
        *("vip_arp", "cp_enable", "vip_interfaceloglobal", "vip_allow_interface_not_up"),
        *("vip_loseleadership", "vip_leaderelection", "cp_detect", "vip_skipdad", "vip_ddns"),
        *("vip_preserve_on_leadership_loss", "lb_enable", "enable_node_labeling", "bgp_enable"),
        *("bgp_attach_ip_to_interface", "bgp_multihop", "vip_wireguard", "vip_routingtable"),
        *("vip_cleanroutingtable", "svc_enable", "svc_election", "lb_class_only", "zebra_enable"),
        *("lb_class_legacy_handling", "enable_service_security", "disable_service_updates"),
        *("enable_endpoints", "enable_upnp", "per_service_election_on_demand"),
        *("egress_withnftables", "egress_enableinternalsnat", "vip_singlenode", "vip_startleader"),
    ]
)
NUMBERS = frozenset(
    [
        *("port", "vip_arpRate", "vip_loseleadership_timeout_seconds", "vip_leaseduration"),
        *("vip_renewdeadline", "vip_retryperiod", "vip_loglevel", "lb_port", "bgp_hold_time"),
        *("backend_health_check_interval", "control_plane_health_check_period_seconds"),
        *("control_plane_health_check_timeout_seconds", "health_check_port", "bgp_as"),
        *("control_plane_health_check_failure_threshold", "bgp_peeras", "dhcp_backoff_attempts"),
        *("bgp_keepalive_interval", "vip_routingtableid", "vip_routingtabletype"),
        *("vip_routingprotocol",),
    ]
)
TEXTS = frozenset(
    [
        *("address", "vip_address", "vip_subnet", "vip_interface", "vip_servicesinterface"),
        *("vip_leasename", "vip_leaseannotations", "vip_nodename", "cp_namespace", "dns_mode"),
        *("kubernetes_addr", "k8s_config_file", "dhcp_mode", "vip_configmap", "lb_fwdmethod"),
        *("control_plane_health_check_address", "control_plane_health_check_ca_path"),
        *("prometheus_server", "config_file", "debounce_time", "instance_name", "annotation"),
        *("bgp_routerid", "bgp_routerinterface", "bgp_peeraddress", "bgp_peerpass", "bgp_peers"),
        *("bgp_sourceif", "bgp_sourceip", "mpbgp_nexthop", "mpbgp_ipv4", "mpbgp_ipv6"),
        *("zebra_url", "zebra_version", "zebra_software_name", "svc_namespace", "svc_leasename"),
        *("lb_class_name", "egress_podcidr", "egress_servicecidr", "mirror_dest_interface"),
        *("iptables_backend", "egress_clean", "EGRESS_CLEAN", "INSTANCE_NAME"),
    ]
)
REMOVED_SINCE = "v0.9.0"
REMOVED = {
    "vip_cidr": "vip_subnet",
    "vip_packet": "",
    "vip_packetproject": "",
    "vip_packetprojectid": "",
    "provider_config": "",
    "enable_endpointslices": "enable_endpoints",
}
"""What took the place; empty: nothing."""
KNOWN = SWITCHES | NUMBERS | TEXTS
