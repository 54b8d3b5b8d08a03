"""Seeds for the readers of bundles and logs: small archives of both kinds, and lines of every form."""

from __future__ import annotations

import gzip
import io
import tarfile

from vipkeeper.collect.bundle import Clock, Manifest, Text, write
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.messages import MESSAGES
from vipkeeper.diagnose.vocabulary import Etcd, Key

AT = 1795747413
_RANCHER = {
    "cp1/systeminfo/hostname": "cp1\n",
    "cp1/systeminfo/date": "Fri Nov 27 02:43:33 UTC 2026\n",
    "cp1/networking/ipaddrshow": "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500\n"
    "    inet 192.0.2.105/24 scope global eth0\n       valid_lft forever\n",
    "cp1/etcd/memberlist": "1a, started, cp1-1a2b3c4d, https://192.0.2.105:2380, "
    "https://192.0.2.105:2379, false\n",
    "cp1/etcd/endpointhealth": "https://192.0.2.105:2379 is healthy: took = 4ms\n",
    "cp1/rke2/crictl/psa": "CONTAINER  CREATED     STATE    NAME\n1a         3 days ago  Running  etcd\n",
    "cp1/journald/rke2-server": "Nov 27 02:43:01 cp1 rke2[1]: etcdserver: no leader\n",
}


def archives() -> dict[str, bytes]:
    """Ours and Rancher's, as plain tar: what compresses them differs from one library to the next."""
    out = io.BytesIO()
    facts = (
        Fact(Key.VIP, "192.0.2.105", at=AT * 1000),
        Fact(Key.ETCD_HEALTH, Etcd.NO_LEADER, "cp1", at=AT * 1000, source="/health"),
        Fact(Key.VIP_PRESENT, None, "cp2", unknown="no permission"),
    )
    says = Manifest("cp1", AT * 1000, "0", Clock(0, True), could_not_collect=("nft: not there",))
    write(out, says, facts, [Text("config.yaml", b"token: x\nserver: https://192.0.2.105:9345\n")])
    return {"ours": gzip.decompress(out.getvalue()), "rancher": _tar()}


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for path, text in _RANCHER.items():
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(text), AT
            packed.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def logs() -> dict[str, bytes]:
    """One line of each form, and times of every kind."""
    lines = [b" 192.0.2.1 ".join(form) for message in MESSAGES for form in message.forms]
    parts = {f"forms{n}": b"\x07" + b"\n".join(lines[n::20])[:1000] for n in range(20)}
    times = (
        b"Nov 27 02:43:01 cp1 x: etcdserver: no leader\n2026-11-27T02:43:01.5+01:00 RAFT NO LEADER\n"
        b"E1127 02:43:01.100000 1 x.go:1] leaderelection lost\n[Fri Nov 27 02:43:01 2026] "
        b"eth0: NIC Link is Down\n"
    )
    return parts | {"times": b"\x20" + times}
