"""The head-to-head: in parts that go on, and told in the same words whoever wins."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from bench import headtohead, probe, results, table, versus
from bench.cells import Cell
from bench.contenders import CONTENDERS

from vipkeeper.lab.act import Runs
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.records import Kind, Record, encode


def run(outage: float, **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "run": 1,
        "length": 4.0,
        "verdict": "passed",
        "reason": "",
        "outage_ms": outage,
        "service_outage_ms": outage,
        "two_holders_ms": 0.0,
        "two_kernels_ms": 0.0,
        "none_ms": outage,
        "silent_ms": None,
        "left_behind": False,
        "moves": 1,
        "left": 1,
        "broken_s": 2.0,
        "unended": [],
    }
    return base | changes


def block(*runs: dict[str, Any]) -> dict[str, Any]:
    conditions = results.conditions() | {"commit": "now", "load after": 0.1}
    return {"conditions": conditions, "runs": list(runs), "version": "1", "took_s": 0.01}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Cell, contender and runs of every block; kube-vip is not there."""
    found: list[tuple[str, str, int]] = []

    def one(cell: Cell, contender: str, count: int) -> dict[str, Any]:
        found.append((cell.name, contender, count))
        return block(*[run(200.0)] * count)

    monkeypatch.setattr(versus, "block_of", one)
    monkeypatch.setattr(versus, "left_out", lambda _: {"kube-vip": "not installed"})
    monkeypatch.setattr(results, "commit", lambda: "now")
    return found


CELLS = [
    Cell("fault/power-off", "power-off", 7, "", ("vipkeeper", "ucarp-best", "kube-vip-best")),
    Cell("every/elect", "elect", 1, "", ("vipkeeper",)),
]


def test_a_pass_plays_a_block_of_everything_that_is_there(
    played: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    found = versus.play(CELLS, 1.0, tmp_path / "out.json", 60, mix=False)
    assert played == [
        ("fault/power-off", "vipkeeper", 5),
        ("fault/power-off", "ucarp-best", 5),
        ("every/elect", "vipkeeper", 1),
        ("fault/power-off", "vipkeeper", 2),
        ("fault/power-off", "ucarp-best", 2),
    ]
    assert found["left_out"] == {"kube-vip": "not installed"}
    assert "**kube-vip** is left out: not installed." in table.page(found)


def test_some_contenders_alone_play_their_own_cells() -> None:
    names = ("ucarp-best", "keepalived-best")
    cells = [*CELLS, Cell("fault/loss", "loss", 5, "", ("keepalived-best", "vipkeeper"))]
    assert [(cell.name, cell.managers) for cell in versus.only(cells, names)] == [
        ("fault/power-off", ("ucarp-best",)),
        ("fault/loss", ("keepalived-best",)),
    ]


def test_a_part_ends_in_time_and_the_next_one_goes_on(
    played: list[tuple[str, str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    versus.play(CELLS, 1.0, file, 0.5, mix=False)
    assert played == [], "a block of 5 runs takes longer than half a minute, as far as is known"
    assert "0 of 15 runs, about 0 h 04 min left" in capsys.readouterr().out
    versus.play(CELLS, 1.0, file, 60, mix=False)
    before = len(played)
    versus.play(CELLS, 1.0, file, 60, mix=False)
    assert len(played) == before


def test_a_win_of_a_peer_is_told_in_the_words_of_ours() -> None:
    fast, slow = [run(100.0), run(150.0)], [run(120.5), run(190.0)]
    ours = headtohead.faster("outage_ms", fast, "ucarp-best", slow)
    theirs = headtohead.faster("outage_ms", slow, "ucarp-best", fast)
    assert ours == "vipkeeper is faster here than ucarp-best by 20.5 ms at p50 and 40 ms at max"
    assert theirs == "ucarp-best is faster here than vipkeeper by 20.5 ms at p50 and 40 ms at max"


def test_what_a_short_outage_costs_is_told_with_it() -> None:
    left = run(0.0, two_holders_ms=7000.0, left_behind=True)
    text = headtohead.faster("outage_ms", [run(200.0)], "keepalived-best", [left])
    assert text == (
        "keepalived-best is faster here than vipkeeper by 200 ms at p50 and 200 ms at max; keepalived-best "
        "had two holders for up to 7000 ms and left the VIP behind in 1 of 1 runs"
    )


def test_figures_are_rounded_to_what_the_clocks_can_tell_but_never_to_nothing() -> None:
    ours, theirs = run(220.352), run(247.969, two_holders_ms=0.019)
    text = headtohead.faster("outage_ms", [ours], "keepalived-best", [theirs])
    assert text == (
        "vipkeeper is faster here than keepalived-best by 27.6 ms at p50 and 27.6 ms at max; keepalived-best "
        "had two holders for up to 0.019 ms"
    )


def test_every_act_has_a_cell_and_every_cell_known_contenders() -> None:
    cells = versus.cells()
    assert {cell.act for cell in cells} == {act.name for act in SCENARIOS}
    assert len({cell.name for cell in cells}) == len(cells)
    assert {name for cell in cells for name in cell.managers} <= set(CONTENDERS)
    many = {cell.act for cell in cells if cell.runs >= 50}
    assert many == {
        *("power-off", "daemon-killed", "daemon-frozen", "sigterm", "api-dead", "api-frozen"),
        *("holder-mute", "holder-deaf", "loss", "busy"),
    }


def test_a_peer_is_not_asked_for_what_it_cannot_play() -> None:
    alone = {act.name for act in SCENARIOS if act.managers is Runs.VIPKEEPER}
    cells = [cell for cell in versus.cells() if cell.name.startswith("every/")]
    assert {cell.act for cell in cells if cell.managers == ("vipkeeper",)} == alone


def test_adverts_every_second_wait_until_all_else_is_played(
    played: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    late = Cell("second/loss", "loss", 5, "", ("vipkeeper",), interval_ms=1000)
    versus.play([late, *CELLS], 1.0, tmp_path / "out.json", 60, mix=False)
    assert [name for name, _, _ in played].index("second/loss") == len(played) - 1


def test_whoever_never_ends_an_outage_is_asked_ten_times(
    played: list[tuple[str, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(cell: Cell, contender: str, count: int) -> dict[str, Any]:
        played.append((cell.name, contender, count))
        never = [cell.metric] if contender == "ucarp-best" else []
        return block(*[run(11000.0, unended=never)] * count)

    monkeypatch.setattr(versus, "block_of", one)
    cell = Cell("fault/loss", "loss", 50, "", ("vipkeeper", "ucarp-best"))
    versus.play([cell], 1.0, tmp_path / "out.json", 600, mix=False)
    assert sum(count for _, who, count in played if who == "ucarp-best") == 10
    assert sum(count for _, who, count in played if who == "vipkeeper") == 50


def test_outages_that_did_not_end_and_cost_little_to_look_at_are_looked_at_as_often_as_others() -> (
    None
):
    cell = Cell("fault/holder-mute", "holder-mute", 50, "", ("keepalived-best",))
    short, long = (run(length, unended=["outage_ms"]) for length in (980.0, 11000.0))
    assert versus.hopeless(cell, [long] * 10)
    assert not versus.hopeless(cell, [long] * 9 + [short])


def test_a_run_that_could_not_be_played_is_played_again_but_not_for_ever(
    played: list[tuple[str, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(cell: Cell, contender: str, count: int) -> dict[str, Any]:
        played.append((cell.name, contender, count))
        return block(run(0.0, length=0.0), *[run(200.0)] * (count - 1))

    monkeypatch.setattr(versus, "block_of", one)
    cell = Cell("fault/loss", "loss", 10, "", ("vipkeeper",))
    versus.play([cell], 1.0, tmp_path / "out.json", 600, mix=False)
    assert [count for _, _, count in played] == [5, 5, 2, 1]


def test_a_table_has_its_own_contenders_of_the_runs_of_one_cell() -> None:
    contenders = ("vipkeeper", "keepalived-best", "keepalived-default")
    records = {name: {"blocks": [block(run(200.0))]} for name in contenders}
    text = headtohead.section({"cells": {"fault/power-off": records}})
    best, default = text.split("### ")[1:3]
    assert "| fault | vipkeeper | keepalived-best |\n" in best
    assert "| fault | vipkeeper | keepalived-default |\n" in default


def test_the_page_begins_with_who_waits_longer_and_what_the_other_pays_for_it() -> None:
    def both(mine: float, theirs: dict[str, Any]) -> dict[str, Any]:
        return {
            "vipkeeper": {"blocks": [block(*[run(mine)] * 50)]},
            "keepalived-best": {"blocks": [block(*[theirs] * 50)]},
        }

    cells = {
        "fault/power-off": both(200.0, run(250.0)),
        "fault/loss": both(12.0, run(11.0)),
        "fault/daemon-killed": both(198.0, run(0.0, two_holders_ms=7800.0)),
        "fault/sigterm": {
            "vipkeeper": {
                "blocks": [block(*[run(0.0)] * 40, *[run(5.0, two_holders_ms=1.5)] * 10)]
            },
            "keepalived-best": {"blocks": [block(*[run(2.5)] * 50)]},
        },
        "fault/busy": {
            "vipkeeper": {"blocks": [block(*[run(0.0)] * 49)]},
            "keepalived-best": {"blocks": [block(*[run(9.0)] * 50)]},
        },
    }
    head = headtohead.section({"cells": cells}).split("Who was played")[0]
    said = [line for line in head.splitlines() if line.startswith("* ")]
    assert said[:3] == [
        "* **shorter**: power-off by 50 ms at p50 and 50 ms at max.",
        "* **longer**: daemon-killed by 198 ms at p50 and 198 ms at max (keepalived-best had two holders for up to 7800 ms); "
        "sigterm by 2.5 ms at max, shorter by 2.5 ms at p50 (vipkeeper had two holders for up to 1.5 ms).",
        "* **no difference**: loss.",
    ]
    assert said[3] == (
        "* **too few runs yet**: daemon-frozen; api-dead; api-frozen; holder-mute; holder-deaf; busy."
    )


def test_of_acts_played_once_those_in_which_a_peer_was_sooner_are_named_with_its_price() -> None:
    runs = {
        "vipkeeper": run(2140.0),
        "keepalived-best": run(268.0, two_holders_ms=3501.0),
        "ucarp-best": run(2041.0),
    }
    cell = {name: {"blocks": [block(one | {"reason": ""})]} for name, one in runs.items()}
    text = headtohead.section({"cells": {"every/split-two-one": cell}})
    assert text.endswith(
        "waited less long, by more than 100 ms, in:\n\n* split-two-one: vipkeeper 2140 ms, "
        "keepalived-best 268 ms; keepalived-best had two holders for up to 3501 ms.\n"
    )
    cell["keepalived-best"]["blocks"][0]["runs"][0]["unended"] = ["outage_ms"]
    assert "less long" not in headtohead.section({"cells": {"every/split-two-one": cell}})


def test_a_program_that_is_not_there_is_named_on_the_page_whichever_contenders_were_asked_for(
    played: list[tuple[str, str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    versus.play(versus.only(CELLS, ("ucarp-best",)), 1.0, tmp_path / "a.json", 60, mix=False)
    assert "left out" not in capsys.readouterr().out
    page = table.page(table.gather(tmp_path))
    assert "**kube-vip** is left out: not installed." in page


def test_an_outage_that_did_not_end_is_the_least_it_can_be() -> None:
    ended, open_one = run(6000.0), run(11000.0, unended=["outage_ms"])
    records = {
        "vipkeeper": {"blocks": [block(*[run(1000.0)] * 50)]},
        "keepalived-best": {"blocks": [block(*[ended, open_one] * 25)]},
    }
    text = headtohead.section({"cells": {"fault/holder-deaf": records}})
    assert "| holder-deaf | 1000 / 1000 (50) | 6000 / > 11000 (50) |" in text
    assert "faster here than keepalived-best by 5000 ms at p50 and at least 10000 ms at max" in text


def test_of_few_runs_nobody_is_said_to_be_faster() -> None:
    few = {
        "vipkeeper": {"blocks": [block(*[run(300.0)] * 50)]},
        "keepalived-best": {"blocks": [block(run(200.0))]},
        "keepalived-hasty": {"blocks": [block(run(100.0))]},
    }
    text = headtohead.section({"cells": {"fault/power-off": few}})
    assert "* **too few runs yet**: power-off;" in text
    for name in ("keepalived-best", "keepalived-hasty"):
        said = f"too few runs to tell vipkeeper from {name} (vipkeeper 50, {name} 1 of 50)"
        assert f"* power-off: {said}.\n" in text
    assert " faster " not in text
    assert "longer" not in text.split("Who was played")[0]


@pytest.mark.parametrize(("none_ms", "said"), [(0.0, True), (6.0, False)])
def test_a_wait_in_which_the_vip_stayed_and_answered_others_is_told_as_one(
    none_ms: float, said: bool
) -> None:
    still = {"moves": 0, "left": 0, "service_outage_ms": 0.0}
    odd = run(80.0, none_ms=none_ms, **still)
    both = {
        "vipkeeper": {"blocks": [block(*[run(0.0, **still)] * 49, odd)]},
        "keepalived-best": {"blocks": [block(*[run(0.0, **still)] * 50)]},
    }
    judged = headtohead.findings({"cells": {"fault/busy": both}})
    (finding,) = [finding for _, cell, finding in judged if cell == "fault/busy"]
    assert finding.verdict == "missed"
    assert ("the VIP left no kernel, and ARP and the other client" in finding.found) is said


def test_the_hasty_rival_is_in_the_first_lines() -> None:
    records = {
        "vipkeeper": {"blocks": [block(*[run(220.0)] * 50)]},
        "keepalived-hasty": {"blocks": [block(*[run(160.0, two_holders_ms=9.0)] * 50)]},
    }
    head = headtohead.in_short({"cells": {"fault/power-off": records}})
    assert (
        "two missed adverts instead of three:\n\n* power-off: keepalived-hasty is faster here than "
        "vipkeeper by 60 ms at p50 and 60 ms at max; keepalived-hasty had two holders for up to 9 ms.\n"
    ) in head


@pytest.mark.parametrize(
    ("mine", "runs", "verdict"),
    [
        (202.0, 50, "met"),
        (199.0, 49, "not measured"),
        (203.0, 50, "missed"),
        (203.0, 1, "missed"),
    ],
)
def test_aim_is_to_be_no_slower_than_the_rival(mine: float, runs: int, verdict: str) -> None:
    both = {
        "vipkeeper": {"blocks": [block(*[run(mine)] * runs)]},
        "keepalived-best": {"blocks": [block(*[run(200.0, two_holders_ms=9.0)] * 50)]},
    }
    judged = headtohead.findings({"cells": {"fault/loss": both}})
    found = {cell: finding for _, cell, finding in judged}
    assert found["fault/loss"].verdict == verdict
    assert "keepalived-best had two holders for up to 9 ms" in found["fault/loss"].found
    assert found["fault/busy"].verdict == "not measured"


def test_what_could_not_be_played_is_told_with_its_reason() -> None:
    ill = run(200.0, length=0.0, reason="the cluster was not healthy", outage_ms=None)
    broken = block() | {"error": "not ended\nafter 420 s"}
    records = {
        "vipkeeper": {"blocks": [block(*[run(150.0)] * 50)]},
        "keepalived-best": {"blocks": [block(*[run(200.0)] * 49, ill), broken]},
        "ucarp-best": {"blocks": [block(ill)]},
    }
    found = {"cells": {"fault/power-off": records}}
    text = headtohead.section(found)
    lost = "1 runs could not be played (the cluster was not healthy)"
    assert (
        f"* power-off, keepalived-best: {lost}, 1 blocks failed (not ended after 420 s).\n" in text
    )
    assert f"* power-off, ucarp-best: {lost}.\n" in text
    assert "power-off, vipkeeper:" not in text
    judged = {cell: finding for _, cell, finding in headtohead.findings(found)}
    assert judged["fault/power-off"].verdict == "not measured"
    assert lost in judged["fault/power-off"].found


def test_where_being_slower_is_meant_the_page_says_why() -> None:
    for act, why in versus.SLOWER.items():
        both = {
            "vipkeeper": {"blocks": [block(run(300.0))]},
            "keepalived-best": {"blocks": [block(run(100.0))]},
        }
        judged = headtohead.findings({"cells": {f"fault/{act}": both}})
        found = next(finding for _, cell, finding in judged if cell == f"fault/{act}")
        assert found.verdict == "missed"
        assert found.found.endswith(f"Why: {why}")


def test_the_worst_runs_are_those_not_as_expected_and_the_longest_of_the_figure_that_counts() -> (
    None
):
    cell = next(cell for cell in versus.cells() if cell.name == "fault/api-dead")

    def played(ms: float, reason: str = "") -> dict[str, Any]:
        verdict = "failed" if reason else "passed"
        return run(0.0, service_outage_ms=ms, reason=reason, verdict=verdict)

    outages = [played(ms) for ms in (80.0, 499.0, 90.0, 100.0)]
    text = table._worst(cell, "vipkeeper", {"blocks": [block(*outages, played(70.0, "S3: kept"))]})
    lines = [line for line in text.splitlines() if line.startswith("* ")]
    assert [line.split(", two")[0] for line in lines] == [
        f"* vipkeeper: service_outage_ms {ms}" for ms in (70, 499, 100, 90)
    ]
    assert lines[0].endswith("S3: kept")


def test_nobody_wins_by_an_outage_that_did_not_end() -> None:
    open_one = run(11000.0, unended=["outage_ms"])
    text = headtohead.faster("outage_ms", [open_one], "ucarp-best", [run(12000.0)])
    assert text == "no difference between vipkeeper and ucarp-best can be told"


def test_probe_counts_what_never_came_and_what_came_late() -> None:
    sent = [
        Record(Kind.UDP_SENT, number * 2_000_000, number, str(number % 7))
        for number in range(1, 1104)
    ]
    answers = [
        Record(
            Kind.UDP_ANSWERED,
            number * 2_000_000 + (30_000_000 if number == 600 else 90_000),
            number,
        )
        for number in range(501, 600 + 1)
        if number != 555
    ]
    stream = io.BytesIO(b"".join(map(encode, sorted(sent + answers, key=lambda r: r.at))))
    heard = probe.listen(stream, 100)
    assert set(heard.sent) == {555}
    assert heard.tardy == 1
    assert len(heard.late_us) == 100
    assert max(heard.rtt_us) == 30_000
