"""Lines of the history file: any bytes give a move that can be shown and sent, or None."""

from __future__ import annotations

import json

from fuzz.documents import LONGEST, change
from fuzz.target import Target
from vipkeeper.cli.history import render
from vipkeeper.cli.output import Style
from vipkeeper.daemon.history import moves_to_json, parse_move
from vipkeeper.daemon.protocol import Response, encode_response, parse_response

_STYLE = Style(colour=False, ascii=True)


def check(data: bytes) -> None:
    """Parse; a move goes into an answer of the control socket and has a reason in words."""
    move = parse_move(data)
    if move is None:
        return
    assert isinstance(move.reason, str)
    assert isinstance(move.arrived, bool)
    assert len(render([move], _STYLE)) == 2
    answer = parse_response(encode_response(Response(True, "", moves_to_json([move]))))
    assert isinstance(answer, Response)
    json.dumps(answer.result, allow_nan=False)


TARGET = Target("history", check, longest=LONGEST, mutate=change)
