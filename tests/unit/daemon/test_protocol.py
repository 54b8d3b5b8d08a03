"""The control protocol: total parsing, the status document, and a client that never hangs."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.core.actions import AlarmKind, State
from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.status import AlarmStatus, CheckStatus, NodeStatus, ServerStatus
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.daemon.protocol import (
    MAX_LINE,
    SOCKET_NAME,
    DaemonFacts,
    Malformation,
    Malformed,
    NoDaemonError,
    Request,
    RequestVerb,
    Response,
    ask,
    encode_request,
    encode_response,
    parse_request,
    parse_response,
    status_to_json,
)
from vipkeeper.errors import HostError, UsageError
from vipkeeper.wire.types import Health, Rejection, Role


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_a_named_rejection(data: bytes) -> None:
    assert isinstance(parse_request(data), Request | Malformed)
    assert isinstance(parse_response(data), Response | Malformed)


@given(
    st.sampled_from(RequestVerb),
    st.none() | st.text(max_size=20),
    st.booleans(),
    st.none() | st.integers(min_value=0, max_value=10**6),
)
def test_a_request_survives_the_socket(
    verb: RequestVerb, to: str | None, force: bool, limit: int | None
) -> None:
    request = Request(verb, to=to, force=force, limit=limit)
    assert parse_request(encode_request(request)) == request


def test_standby_off_is_not_standby_on() -> None:
    off = Request(RequestVerb.STANDBY, on=False)
    assert parse_request(encode_request(off)) == off


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", Malformation.NOT_JSON),
        (b"\xff\xfe", Malformation.NOT_JSON),
        (b"[" * 60_000, Malformation.NOT_JSON),
        (b"9" * 5000, Malformation.NOT_JSON),
        (b" " * (MAX_LINE + 1), Malformation.TOO_LONG),
        (b"[]", Malformation.NOT_AN_OBJECT),
        (b"{}", Malformation.UNKNOWN_VERB),
        (b'{"verb": ["status"]}', Malformation.UNKNOWN_VERB),
        (b'{"verb": "status", "tto": 1}', Malformation.UNKNOWN_FIELD),
        (b'{"verb": "handover", "to": 7}', Malformation.BAD_FIELD),
        (b'{"verb": "handover", "force": "yes"}', Malformation.BAD_FIELD),
        (b'{"verb": "standby", "on": 1}', Malformation.BAD_FIELD),
        (b'{"verb": "history", "limit": -1}', Malformation.BAD_FIELD),
        (b'{"verb": "history", "limit": true}', Malformation.BAD_FIELD),
    ],
)
def test_each_bad_request_has_its_reason(line: bytes, reason: Malformation) -> None:
    rejected = parse_request(line)
    assert isinstance(rejected, Malformed)
    assert rejected.reason is reason


@pytest.mark.parametrize("name", ["\ud800", "cp\udcff"])
def test_a_name_that_is_no_text_is_asked_for_and_answered(name: str) -> None:
    """A byte that is no UTF-8 on the command line, or an escape of half a character in a request."""
    request = Request(RequestVerb.HANDOVER, to=name)
    assert parse_request(encode_request(request)) == request
    refusal = Response(False, f"refused: {name} is not in servers")
    assert parse_response(encode_response(refusal)) == refusal


def test_an_answer_too_long_for_a_line_becomes_a_failure_that_says_so() -> None:
    line = encode_response(Response(True, "ok", {"much": "x" * MAX_LINE}))
    parsed = parse_response(line)
    assert isinstance(parsed, Response)
    assert not parsed.ok
    assert "longer than" in parsed.text


def status() -> NodeStatus:
    own = ServerStatus(
        "cp1", ip_address("10.0.0.11"), True, Role.HOLDER, Health.READY, False, 7, 0, True, False, 0
    )
    peer = ServerStatus(
        "cp2", ip_address("10.0.0.12"), False, None, Health.UNKNOWN, False, 0, None, False, False, 0
    )
    return NodeStatus(
        at=100 * SECOND,
        server="cp1",
        state=State.HOLDER,
        since=90 * SECOND,
        epoch=7,
        holder="cp1",
        successor=None,
        vips=(ip_address("10.0.0.100"),),
        lease_until=102 * SECOND,
        health=Health.API_ONLY,
        checks=(CheckStatus(CheckName.API, Outcome.OK, "200", 5 * MILLISECOND),),
        standby=False,
        host=None,
        servers=(own, peer),
        alarms=(AlarmStatus(AlarmKind.NO_SUCCESSOR, 2, 95 * SECOND, ""),),
        rejected=((Rejection.WRONG_KEY, 3),),
        transitions=(("holder", "first_claim", 1),),
        adverts_sent=11,
        announcements_sent=4,
    )


FACTS = DaemonFacts("0.1.0", 42, "/etc/c.yaml", "eth0", "", 10 * SECOND, wall=1_700_000_000.0)


def test_the_status_document_turns_instants_into_dates_and_ages() -> None:
    document = status_to_json(status(), FACTS)
    assert document["schema_version"] == 1
    assert document["at"] == "2023-11-14T22:13:20.000Z"
    assert document["since"] == "2023-11-14T22:13:10.000Z"
    assert document["lease_remaining_ms"] == 2000
    assert document["health"] == "api-only"
    assert document["successor"] is None
    assert document["rejected"] == {"wrong_key": 3}
    assert document["alarms"][0]["last"] == "2023-11-14T22:13:15.000Z"
    assert [s["role"] for s in document["servers"]] == ["holder", None]
    assert [s["last_advert_age_ms"] for s in document["servers"]] == [0, None]
    assert json.loads(json.dumps(document)) == document


@contextmanager
def daemon(run_dir: Path, *answers: bytes, hang: bool = False) -> Iterator[list[bytes]]:
    """A stand-in that answers one request with the given pieces, or holds the connection open."""
    asked: list[bytes] = []
    done = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(run_dir / SOCKET_NAME))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(MAX_LINE))
                for answer in answers:
                    connection.sendall(answer)
                if hang:
                    done.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        done.set()
        thread.join(10)


def test_an_answer_in_pieces_is_one_answer(tmp_path: Path) -> None:
    with daemon(tmp_path, b'{"ok": true, "te', b'xt": "done"}\n', hang=True) as asked:
        assert ask(tmp_path, Request(RequestVerb.RELEASE)) == Response(True, "done")
    assert asked == [b'{"verb":"release"}\n']


def test_no_socket_means_no_daemon(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match=r"no vipkeeper daemon runs .*systemctl status"):
        ask(tmp_path, Request(RequestVerb.STATUS))


def test_a_stale_socket_means_no_daemon(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(NoDaemonError, match="nobody listens"):
        ask(tmp_path, Request(RequestVerb.STATUS))


def test_a_frozen_daemon_is_called_frozen(tmp_path: Path) -> None:
    with daemon(tmp_path, hang=True), pytest.raises(HostError, match="frozen"):
        ask(tmp_path, Request(RequestVerb.STATUS), timeout=0.05)


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\n", b"[]\n", b'{"ok": 1}\n', b"x" * MAX_LINE * 2]
)
def test_nonsense_from_the_daemon_is_an_error_for_people(tmp_path: Path, answer: bytes) -> None:
    with daemon(tmp_path, answer), pytest.raises(HostError, match=r"no valid answer|hung up"):
        ask(tmp_path, Request(RequestVerb.STATUS))


def test_a_run_dir_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a directory"):
        ask(tmp_path / "file", Request(RequestVerb.STATUS))
    with pytest.raises(UsageError, match="--run-dir"):
        ask(tmp_path / ("x" * 200), Request(RequestVerb.STATUS))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may always talk to the daemon")
def test_no_permission_names_sudo(tmp_path: Path) -> None:
    with daemon(tmp_path, hang=True):
        (tmp_path / SOCKET_NAME).chmod(0)
        with pytest.raises(HostError, match="sudo"):
            ask(tmp_path, Request(RequestVerb.STATUS))
