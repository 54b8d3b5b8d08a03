"""The systemd unit that `init --systemd` writes."""

from __future__ import annotations

from pathlib import Path

SERVICE = "vipkeeper"
UNIT_NAME = f"{SERVICE}.service"

_UNIT = """\
[Unit]
Description=vipkeeper: holds the virtual IP of the Kubernetes control plane
Documentation=man:systemd.service(5)
# Not after the control plane: the VIP must not depend on the API server it leads to.
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} run --config {config}
ExecReload=/bin/kill -HUP $MAINPID
# Removes the VIP after a clean stop only: after a crash the kernel lease decides, so that a restart
# inside it costs nothing.
ExecStopPost={program} release --after-stop --config {config}
WatchdogSec=5
Restart=always
RestartSec=100ms
# The record of the kernel lease must outlive a restart of the daemon.
RuntimeDirectory=vipkeeper
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
StateDirectory=vipkeeper
# Root, since the prober may read the distribution's client certificates; all but these is dropped.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE CAP_IPC_LOCK CAP_DAC_READ_SEARCH CAP_KILL
NoNewPrivileges=yes
LimitMEMLOCK=infinity
LimitCORE=0
OOMScoreAdjust=-900
# No CPUQuota: inside a quota real-time scheduling is refused and adverts come late.
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def unit(program: Path, config: Path) -> str:
    """The text of the unit for this program and configuration."""
    return _UNIT.format(program=_word(program), config=_word(config))


def _word(path: Path) -> str:
    """A path as one word of a unit file (systemd.service(5), command lines; % is a specifier)."""
    text = str(path).replace("%", "%%").replace("\\", "\\\\")
    return f'"{text}"' if " " in text else text
