"""What the end of a daemon's trace says of it, however long it is and whatever its beginning has become."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster import settings
from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import Reconfigured, Tick
from vipkeeper.core.facts import Configured
from vipkeeper.core.trace import Header, TraceRecord, line, parse
from vipkeeper.lab import traces
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Window
from vipkeeper.lab.topology import lan
from vipkeeper.lab.traces import TRACE, Growing, Known, known, lines, longest_silence


def cluster(directory: Path, *texts: str) -> Cluster:
    one = Cluster(lan(1), directory)
    path = one.servers["cp1"].directory / TRACE
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{text}\n" for text in texts))
    return one


def run(at: int, **changes: int) -> list[str]:
    return [
        line(at, Header("cp1", "0.1.0")),
        line(at, Configured("cp1", settings(0, 3, **changes))),
        line(at + 1, Transition(State.STOPPED, State.LISTEN, Cause.STARTED, 1)),
    ]


def test_the_newest_run_says_state_and_settings(tmp_path: Path) -> None:
    one = cluster(tmp_path, *run(1), *run(10, move_budget=3), line(12, Tick()))
    assert known(one) == {"cp1": Known(State.LISTEN, Configured("cp1", settings(move_budget=3)))}


def test_a_reload_says_newer_settings_and_a_restart_ends_them(tmp_path: Path) -> None:
    reload = line(5, Reconfigured(settings(move_budget=4)))
    one = cluster(tmp_path / "one", *run(1), reload)
    assert known(one)["cp1"].configured == Configured("cp1", settings(move_budget=4))
    two = cluster(tmp_path / "two", *run(1), reload, *run(10))
    assert known(two)["cp1"].configured == Configured("cp1", settings())


def test_the_longest_silence_of_a_window_is_also_one_at_its_edges(tmp_path: Path) -> None:
    one = cluster(tmp_path, *run(100), *(line(at, Tick()) for at in (105, 112, 130, 131)))
    assert longest_silence(one, "cp1", Window(100, 140)) == 18
    assert longest_silence(one, "cp1", Window(50, 120)) == 50
    assert longest_silence(one, "cp1", Window(131, 200)) == 69


def test_a_server_without_a_trace_says_nothing(tmp_path: Path) -> None:
    assert known(Cluster(lan(1), tmp_path)) == {"cp1": Known()}


def test_only_whole_lines_of_the_act_are_read(tmp_path: Path) -> None:
    one = cluster(tmp_path, *run(1), line(20, Tick()))
    with (one.servers["cp1"].directory / TRACE).open("a") as file:
        file.write('{"t":21,"type":"Ti')
    (found,) = lines(one, {}, Window(5, 30)).values()
    assert list(found) == [f"{line(20, Tick())}\n".encode()]


def test_a_growing_trace_gives_each_whole_line_once_and_what_is_too_new_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / TRACE
    early, late = line(10, Tick()), line(30, Tick())
    path.write_text(f"{early}\n{late}\n{line(40, Tick())[:9]}")
    growing = Growing(path)
    assert growing.lines(20) == [early.encode()]
    with path.open("a") as file:
        file.write(f"{line(40, Tick())[9:]}\n")
    assert growing.lines(50) == [late.encode(), line(40, Tick()).encode()]
    assert growing.lines(60) == []


def test_what_was_read_is_given_back_and_the_last_of_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "READABLE", 1 << 16)
    path = tmp_path / TRACE
    growing, read = Growing(path), 0
    for part in range(2):
        with path.open("a") as file:
            file.writelines(
                f"{line(at, Tick())}\n" for at in range(part * 10_000, (part + 1) * 10_000)
            )
        read += len(growing.lines(1 << 40))
    assert read == 20_000
    assert path.stat().st_blocks * 512 < path.stat().st_size // 2
    left = growing.tail().splitlines()
    assert len(left) > 100
    assert all(isinstance(parse(text), TraceRecord) for text in left)
