"""Tells systemd how the daemon is (sd_notify(3)); does nothing where systemd did not start it."""

from __future__ import annotations

import contextlib
import os
import socket
import time


class Notifier:
    """Sends to the socket named by NOTIFY_SOCKET."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            if address
            else None
        )

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds within which systemd wants a sign of life; None: it does not."""
        usec = os.environ.get("WATCHDOG_USEC", "")
        pid = os.environ.get("WATCHDOG_PID", str(os.getpid()))
        number = int(usec) if usec.isascii() and usec.isdigit() else 0
        if self._socket is None or number == 0 or pid != str(os.getpid()):
            return None
        return number / 1_000_000

    def ready(self, status: str) -> None:
        """Started; also the end of a reload."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """A reload begins."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The daemon ends."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The watchdog's sign of life."""
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(text.encode(), self._address)
