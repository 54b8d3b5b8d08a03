"""The control socket: any line is a request or a response, or malformed; every answer can be sent."""

from __future__ import annotations

from fuzz.documents import LONGEST, change
from fuzz.target import Target
from vipkeeper.daemon.protocol import (
    MAX_LINE,
    Malformed,
    Response,
    encode_request,
    encode_response,
    parse_request,
    parse_response,
)


def check(data: bytes) -> None:
    """As the daemon reads a request and answers it, and as the command line reads the answer."""
    request = parse_request(data)
    if isinstance(request, Malformed):
        _sent(Response(False, f"not a request: {request}"))
    else:
        _sent(Response(False, f"no server is named {request.to}", {"to": request.to}))
        again = parse_request(encode_request(request).rstrip(b"\n"))
        assert not isinstance(again, Malformed)
        assert (again.verb, again.to, again.force) == (request.verb, request.to, request.force)
    response = parse_response(data)
    if isinstance(response, Malformed):
        assert str(response)
    else:
        _sent(response)


def _sent(response: Response) -> None:
    line = encode_response(response)
    assert len(line) <= MAX_LINE
    assert line.count(b"\n") == 1
    assert isinstance(parse_response(line), Response)


TARGET = Target("protocol", check, longest=LONGEST, mutate=change)
