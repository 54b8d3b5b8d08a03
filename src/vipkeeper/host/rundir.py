"""/run/vipkeeper: one daemon a directory, and what it remembers across its own restart."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from vipkeeper.core.types import Record
from vipkeeper.errors import HostError
from vipkeeper.wire.types import IPAddress

_MAX_RECORD = 64 * 1024


class RunDirectory:
    """Holds the lock for as long as the process lives."""

    def __init__(self, path: Path, boot_id: str, vips: Sequence[IPAddress]) -> None:
        """`boot_id`: the host's; a record of another boot or of other VIPs is not ours.

        Raises:
            HostError: the directory cannot be made, or another daemon runs.
        """
        self._path = path
        self._record, self._fresh = str(path / "record.json"), str(path / "record.json.new")
        self._tie = {"boot_id": boot_id, "vips": [str(vip) for vip in vips]}
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HostError(f"cannot use {path}: {error.strerror} (see --run-dir)") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(self._lock, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise HostError(
                f"another vipkeeper daemon (pid {pid}) runs on this host with {path}; "
                "stop it first: systemctl stop vipkeeper"
            ) from None
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    @property
    def path(self) -> Path:
        """The directory."""
        return self._path

    def load(self) -> Record | None:
        """The record of an earlier run under this boot; None when there is none that can be trusted."""
        try:
            data = Path(self._record).read_bytes()
            document = json.loads(data) if len(data) <= _MAX_RECORD else None
            if not isinstance(document, dict) or document.get("tie") != self._tie:
                return None
            fields = document["record"]
            gateway = fields.get("gateway")
            record = Record(
                fields["epoch"],
                fields["holding"],
                fields["lease_until"],
                fields["standby"],
                ip_address(gateway) if isinstance(gateway, str) else None,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        # type() and not isinstance: a bool is an int, and no number.
        numbers = type(record.epoch) is type(record.lease_until) is int
        flags = type(record.holding) is type(record.standby) is bool
        in_range = numbers and 0 <= record.epoch < 2**64 and 0 <= record.lease_until < 2**63
        return record if flags and in_range else None

    def save(self, record: Record) -> None:
        """Replace the record in one step.

        Raises:
            OSError: /run is full or gone.
        """
        document = {
            "tie": self._tie,
            "record": {
                "epoch": record.epoch,
                "holding": record.holding,
                "lease_until": record.lease_until,
                "standby": record.standby,
                "gateway": None if record.gateway is None else str(record.gateway),
            },
        }
        # Once a renewal, so not by way of pathlib, which would be a tenth of what a holder costs at rest.
        with open(self._fresh, "wb") as file:
            file.write(json.dumps(document).encode("ascii"))
        os.replace(self._fresh, self._record)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._lock)
