"""What the command line and a live daemon say to each other over the unix socket RUN_DIR/control.sock.

One JSON object a line each way, one request a connection:

    {"verb": "handover", "to": "cp2", "force": false}
    {"ok": true, "text": "cp2 holds the VIP", "result": null}

Parsing is total: any bytes give a value or a `Malformed`. The server side is `daemon.control`.
"""

from __future__ import annotations

import enum
import json
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vipkeeper.core.status import AlarmStatus, CheckStatus, NodeStatus, ServerStatus
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, HostView
from vipkeeper.errors import HostError, NothingError, UsageError

RUN_DIR = Path("/run/vipkeeper")
SOCKET_NAME = "control.sock"
STATUS_SCHEMA_VERSION = 1
MAX_LINE = 64 * 1024
"""Longest request or response in bytes, the newline included."""

JSON = dict[str, Any]
"""A JSON object."""


class RequestVerb(enum.Enum):
    """What may be asked over the control socket."""

    STATUS = "status"
    HISTORY = "history"
    HANDOVER = "handover"
    RELEASE = "release"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Fields a verb does not use keep their defaults."""

    verb: RequestVerb
    to: str | None = None
    """handover: the server to hand over to; None: the best-ranked one."""
    force: bool = False
    """handover: also to an unready or silent server."""
    on: bool = True
    """standby: go to standby, or come back (False)."""
    limit: int | None = None
    """history: at most this many of the newest moves."""


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one request."""

    ok: bool
    text: str
    """One line for humans; the reason of a refusal."""
    result: JSON | None = None


class Malformation(enum.Enum):
    """Why a line is no request or response."""

    TOO_LONG = "the line is longer than 64 KiB"
    NOT_JSON = "the line is not JSON"
    NOT_AN_OBJECT = "the line is not a JSON object"
    UNKNOWN_VERB = "unknown verb"
    UNKNOWN_FIELD = "unknown field"
    BAD_FIELD = "a field has the wrong type"


@dataclass(frozen=True, slots=True)
class Malformed:
    """The rejection of a line."""

    reason: Malformation
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """What the process around the node adds to its status."""

    version: str
    pid: int
    config: str
    """Path of the configuration file."""
    interface: str | None
    realtime: str
    """What scheduling and memory locking were granted, for humans; empty when not yet known."""
    uptime: Duration
    wall: float
    """Wall clock (seconds since 1970, UTC) when the status was taken: turns instants into dates."""
    lateness: Duration = 0
    """The latest any wake-up of the keeper came since its start."""


def encode_request(request: Request) -> bytes:
    """The line of a request; fields with their default values are left out."""
    document: JSON = {"verb": request.verb.value}
    if request.to is not None:
        document["to"] = request.to
    if request.force:
        document["force"] = True
    if request.verb is RequestVerb.STANDBY:
        document["on"] = request.on
    if request.limit is not None:
        document["limit"] = request.limit
    return _line(document)


def encode_response(response: Response) -> bytes:
    """The line of a response; one that would be too long is replaced by a failure that says so."""
    line = _line({"ok": response.ok, "text": response.text, "result": response.result})
    if len(line) <= MAX_LINE:
        return line
    text = f"the answer of {len(line)} bytes is longer than {MAX_LINE}"
    return _line({"ok": False, "text": text, "result": None})


def parse_request(line: bytes) -> Request | Malformed:
    """The request in a line."""
    document = _parse_object(line)
    if isinstance(document, Malformed):
        return document
    name = document.pop("verb", None)
    verb = next((verb for verb in RequestVerb if verb.value == name), None)
    if verb is None:
        known = ", ".join(verb.value for verb in RequestVerb)
        return Malformed(Malformation.UNKNOWN_VERB, f"expected one of {known}")
    to = document.pop("to", None)
    force = document.pop("force", False)
    on = document.pop("on", True)
    limit = document.pop("limit", None)
    if document:
        return Malformed(Malformation.UNKNOWN_FIELD, ", ".join(sorted(document))[:200])
    if to is not None and not isinstance(to, str):
        return Malformed(Malformation.BAD_FIELD, "to: expected a server name")
    if not isinstance(force, bool):
        return Malformed(Malformation.BAD_FIELD, "force: expected true or false")
    if not isinstance(on, bool):
        return Malformed(Malformation.BAD_FIELD, "on: expected true or false")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        return Malformed(Malformation.BAD_FIELD, "limit: expected a whole number from 0")
    return Request(verb, to=to, force=force, on=on, limit=limit)


def parse_response(line: bytes) -> Response | Malformed:
    """The response in a line; unknown fields are ignored, so that a newer daemon can add some."""
    document = _parse_object(line)
    if isinstance(document, Malformed):
        return document
    ok, text, result = document.get("ok"), document.get("text"), document.get("result")
    if not isinstance(ok, bool):
        return Malformed(Malformation.BAD_FIELD, "ok: expected true or false")
    if not isinstance(text, str):
        return Malformed(Malformation.BAD_FIELD, "text: expected a string")
    if result is not None and not isinstance(result, dict):
        return Malformed(Malformation.BAD_FIELD, "result: expected an object or null")
    return Response(ok, text, result)


def _line(document: JSON) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    # A lone surrogate has no UTF-8; what backslashreplace makes of it is its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _parse_object(line: bytes) -> JSON | Malformed:
    if len(line) > MAX_LINE:
        return Malformed(Malformation.TOO_LONG)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return Malformed(Malformation.NOT_JSON)
    if not isinstance(document, dict):
        return Malformed(Malformation.NOT_AN_OBJECT)
    return document


def status_to_json(status: NodeStatus, extra: DaemonFacts) -> JSON:
    """The status as the JSON object that docs/operations.md describes (schema version 1)."""

    def date(instant: int) -> str:
        return rfc3339(extra.wall - (status.at - instant) / SECOND)

    lease = None if status.lease_until is None else _ms(max(0, status.lease_until - status.at))
    return {
        "schema_version": STATUS_SCHEMA_VERSION,
        "at": date(status.at),
        "server": status.server,
        "state": status.state.value,
        "since": date(status.since),
        "epoch": status.epoch,
        "holder": status.holder,
        "successor": status.successor,
        "vips": [str(vip) for vip in status.vips],
        "lease_remaining_ms": lease,
        "health": word(status.health),
        "standby": status.standby,
        "checks": [_check(check) for check in status.checks],
        "host": None if status.host is None else _host(status.host),
        "servers": [_server(server) for server in status.servers],
        "alarms": [_alarm(alarm, date(alarm.last)) for alarm in status.alarms],
        "rejected": {reason.name.lower(): count for reason, count in status.rejected},
        "transitions": [
            {"to": to, "cause": cause, "count": count} for to, cause, count in status.transitions
        ],
        "adverts_sent": status.adverts_sent,
        "announcements_sent": status.announcements_sent,
        "daemon": {
            "version": extra.version,
            "pid": extra.pid,
            "config": extra.config,
            "interface": extra.interface,
            "realtime": extra.realtime,
            "uptime_ms": _ms(extra.uptime),
            "lateness_ms": _ms(extra.lateness),
        },
    }


def word(member: enum.Enum) -> str:
    """How an enum member is written in JSON: `API_ONLY` becomes `api-only`."""
    return member.name.lower().replace("_", "-")


def rfc3339(wall: float) -> str:
    """A wall clock in seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    stamp = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def _ms(duration: Duration) -> int:
    return duration // MILLISECOND


def _check(check: CheckStatus) -> JSON:
    return {
        "check": check.check.value,
        "outcome": check.outcome.value,
        "detail": check.detail,
        "age_ms": _ms(check.age),
    }


def _host(host: HostView) -> JSON:
    return {
        "interface": host.interface,
        "link_up": host.link_up,
        "own_address": host.own_address,
        "usable": host.usable,
        "detail": host.detail,
        "vips": [
            {"vip": str(view.vip), "state": view.state.value, "behind_own": view.behind_own}
            for view in host.vips
        ],
    }


def _server(server: ServerStatus) -> JSON:
    age = server.last_advert_age
    return {
        "name": server.name,
        "address": str(server.address),
        "own": server.own,
        "role": None if server.role is None else word(server.role),
        "health": word(server.health),
        "standby": server.standby,
        "epoch": server.epoch,
        "last_advert_age_ms": None if age is None else _ms(age),
        "live": server.live,
        "configuration_differs": server.configuration_differs,
        "adverts_received": server.adverts_received,
    }


def _alarm(alarm: AlarmStatus, last: str) -> JSON:
    return {
        "kind": word(alarm.kind),
        "text": alarm.kind.value,
        "count": alarm.count,
        "last": last,
        "detail": alarm.detail,
    }


class NoDaemonError(NothingError):
    """No daemon runs on this server: there is nobody to ask."""


def ask(run_dir: Path, request: Request, timeout: float = 5.0) -> Response:
    """Send one request to the daemon of this server and wait for its answer.

    `timeout` is in seconds and covers the whole exchange.

    Raises:
        NoDaemonError: no daemon runs.
        HostError: the daemon may not be asked by this user, does not answer, or answers nonsense.
        UsageError: `run_dir` cannot be the place of a socket.
    """
    path = run_dir / SOCKET_NAME
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        _connect(connection, path)
        try:
            connection.sendall(encode_request(request))
            line = _read_line(connection, deadline)
        except TimeoutError:
            raise HostError(
                f"the daemon at {path} does not answer within {timeout:g} s: it may be frozen; "
                "see 'systemctl status vipkeeper' and 'journalctl -u vipkeeper'"
            ) from None
        except OSError as error:
            raise HostError(f"the daemon at {path} hung up: {error.strerror}") from None
    response = parse_response(line)
    if isinstance(response, Malformed):
        found = "nothing" if not line else str(response)
        raise HostError(
            f"the daemon at {path} sent no valid answer ({found}); it may be ending, or of another "
            "version: see 'journalctl -u vipkeeper'"
        )
    return response


def _connect(connection: socket.socket, path: Path) -> None:
    try:
        connection.connect(str(path))
    except FileNotFoundError:
        raise NoDaemonError(
            f"no vipkeeper daemon runs on this server (no socket at {path}): "
            "see 'systemctl status vipkeeper'"
        ) from None
    except ConnectionRefusedError:
        raise NoDaemonError(
            f"no vipkeeper daemon runs on this server (nobody listens at {path}; it was killed?): "
            "see 'systemctl status vipkeeper'"
        ) from None
    except PermissionError:
        raise HostError(f"no permission to talk to the daemon at {path}: use sudo") from None
    except (TimeoutError, BlockingIOError):
        raise HostError(
            f"the daemon at {path} accepts no connection: it may be frozen; "
            "see 'systemctl status vipkeeper'"
        ) from None
    except NotADirectoryError:
        raise UsageError(f"--run-dir: {path.parent} is not a directory") from None
    except OSError as error:  # Python gives "AF_UNIX path too long" no errno
        raise UsageError(f"--run-dir: cannot use {path}: {error.strerror or error}") from None


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    """Everything up to the first newline, the end of the stream, or just beyond `MAX_LINE` bytes."""
    line = b""
    while b"\n" not in line and len(line) <= MAX_LINE:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(MAX_LINE)
        if not part:
            break
        line += part
    return line.partition(b"\n")[0]
