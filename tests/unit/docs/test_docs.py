"""The pages of the repository: links lead somewhere, and what must be named is named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.core.actions import Cause, State
from vipkeeper.core.addressing import CLAIM_AGAIN_AFTER
from vipkeeper.core.claim import RENEWALS_PER_LEASE, RESTORE_PROBE_EVERY, RESTORE_PROBES
from vipkeeper.core.gate import HARD_CONFIRMED_AFTER
from vipkeeper.core.holding import TOLD_OFTEN
from vipkeeper.core.peers import NAMED_WITHIN, ROUNDS_UNTIL_STOPPED
from vipkeeper.core.suspicion import CONFIRM_ROUNDS, RANK_DELAY, ROUND_EVERY, round_every
from vipkeeper.core.types import MILLISECOND, SECOND, Server, Settings
from vipkeeper.lab.acts import ACTS

ROOT = Path(__file__).parents[3]
# A user's own page, such as one of the bench's, may lie beside the README; ours are in capitals there.
PAGES = sorted(
    [*ROOT.glob("[A-Z]*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[!.]*/README.md")]
)
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/)>*-])/([\w-]+)/[\w.-]")
EVERYWHERE = {"dev", "etc", "mnt", "opt", "path", "proc", "run", "sys", "usr", "var"}
"""Where paths of any Linux machine begin, and an example's `/path/to/`."""


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Without code, in which brackets are no links."""
    return CODE.sub("", FENCED.sub("", text(path)))


def anchors(path: Path) -> set[str]:
    """What headings can be linked by, as the hosts of repositories make it."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCED.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in LINK.findall(prose(page)):
            if "://" not in target and not target.startswith("mailto:"):
                yield page, target


def broken(page: Path, target: str) -> str:
    """Why a relative link leads nowhere; empty when it leads somewhere."""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(ROOT) or not path.exists():
        return f"{page.relative_to(ROOT)}: {target}: no such file in the repository"
    if anchor and anchor not in anchors(path):
        return f"{page.relative_to(ROOT)}: {target}: no such heading"
    return ""


def test_every_relative_link_leads_somewhere() -> None:
    found = list(links())
    assert len(found) > 10, "links are no longer found at all"
    assert [problem for link in found if (problem := broken(*link))] == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    page = ROOT / "docs" / "protocol.md"
    assert "no such file" in broken(page, "nowhere.md")
    assert "no such file" in broken(page, "../../outside.md")
    assert "no such heading" in broken(page, "#nowhere")
    assert broken(page, "#bounds") == ""


def test_protocol_names_every_state_and_cause() -> None:
    page = text(ROOT / "docs" / "protocol.md")
    missing = [state.value for state in State if f"`{state.value}`" not in page]
    missing += [cause.value for cause in Cause if cause.value not in page]
    assert missing == []


def test_protocol_gives_the_bounds_that_the_code_has() -> None:
    page = text(ROOT / "docs" / "protocol.md")
    defaults = Settings((), tuple(Server(str(n), ip_address("::1")) for n in range(3)), 0, b"")
    yielding = defaults.suspect_after + RANK_DELAY * len(defaults.servers)
    bounds = {
        "suspect time": defaults.suspect_after,
        "listening before": defaults.suspect_after,
        "confirm budget B": defaults.confirm_budget,
        "unanswered rounds until": ROUNDS_UNTIL_STOPPED * ROUND_EVERY,
        "rounds of questions": round_every(defaults),
        "shortest confirm": CONFIRM_ROUNDS * round_every(defaults),
        "a holder that hears nobody": defaults.deaf_after,
        "another holder that does not hear": TOLD_OFTEN * defaults.advert_interval,
        "T_L": defaults.unconditional_after,
        "kernel lease": defaults.kernel_lease,
        "renewal": defaults.kernel_lease // RENEWALS_PER_LEASE,
        "a VIP deleted": RESTORE_PROBES * RESTORE_PROBE_EVERY,
        "waiting after giving way": yielding,
        "the daemon ran late": defaults.advert_interval,
    }
    for name, bound in bounds.items():
        (row,) = re.findall(
            rf"^\| {re.escape(name)}[^|]*\|[^|]*\| (\S+) (\S+) \|$", page, re.MULTILINE
        )
        assert int(row[0]) * {"ms": MILLISECOND, "s": SECOND}[row[1]] == bound, name
    fixed = (
        (f"| {ROUNDS_UNTIL_STOPPED}, and {RANK_DELAY // ROUND_EVERY} more", "rounds in hold-off"),
        (f"every {ROUND_EVERY // MILLISECOND} ms", "time between rounds"),
        (f"at most {NAMED_WITHIN // MILLISECOND} ms old", "named successor"),
        (f"| {defaults.move_budget} |", "move budget"),
        (f"| {RANK_DELAY // MILLISECOND} ms for each candidate ahead |", "rank delay"),
        (f"after {defaults.soft_failure_after // SECOND} s |", "soft failure"),
        (f"at least {HARD_CONFIRMED_AFTER // MILLISECOND} ms after", "hard failure"),
        (f"kernel refused the VIP | {CLAIM_AGAIN_AFTER // SECOND} s |", "claim again"),
    )
    assert [name for words, name in fixed if words not in page] == []


def test_protocol_names_only_acts_that_exist() -> None:
    page = text(ROOT / "docs" / "protocol.md")
    table = page.partition("\n## What happens when")[2].partition("\n## ")[0]
    last_cells = [
        line.rstrip(" |").rsplit("|", 1)[-1] for line in table.splitlines() if "|" in line
    ]
    named = {name for cell in last_cells for name in re.findall(r"^ `([a-z-]+)`", cell)}
    acts = {act.name for act in ACTS}
    assert named <= acts
    assert acts - named <= {"answer"}, "an act that shows a fault is not pointed to"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *(name for group in groups for name in group)]
    names = {re.split(r"[<>=~!\[; ]", requirement)[0] for requirement in wanted}
    reasons = text(ROOT / "docs" / "decisions.md").partition("\n## Form of the program")[0]
    rows = re.findall(r"^\| ([^|]+) \|", reasons, re.MULTILINE)
    given = {name for row in rows for name in row.split(", ")} - {"package", "---"}
    assert names - given == set(), "no reason in docs/decisions.md"
    assert given - names == {"uv"}, "a reason for what is no dependency"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_names_a_path_of_a_developers_machine(page: Path) -> None:
    assert set(ABSOLUTE_PATH.findall(text(page))) <= EVERYWHERE
