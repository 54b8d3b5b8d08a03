"""`vipkeeper init`: what it writes where, and that what it prints is all there is to do."""

from __future__ import annotations

import re
from ipaddress import ip_interface
from itertools import product
from pathlib import Path

import pytest

from vipkeeper.cli import init, next_steps
from vipkeeper.cli.main import main
from vipkeeper.cli.next_steps import Situation, after_all, obstacles
from vipkeeper.config.load import load
from vipkeeper.host.inspect import Address

SERVERS = ("--server", "cp1=10.0.0.1", "--server", "cp2=10.0.0.2")
CLUSTER = ("--vip", "10.0.0.100", *SERVERS)


@pytest.fixture(autouse=True)
def in_the_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """This host is one of the servers."""
    networks = ("10.0.0.1/24", "fd00::1/64")
    local = tuple(Address("eth0", ip_interface(network), True) for network in networks)
    monkeypatch.setattr(init, "read_network", lambda: ((), local))


def numbered(text: str) -> list[str]:
    return [m[1] for line in text.splitlines() if (m := re.fullmatch(r"  \d+\. (.*)", line))]


def test_first_server_gets_everything_and_steps_carry_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, units = tmp_path / "a place", tmp_path / "units"
    words = ("--directory", str(place), "--unit-directory", str(units), "--systemd")
    assert main(["init", *CLUSTER, *words]) == 0
    assert load(place / "cluster.yaml").key_file == place / "key"
    assert f'--config "{place}/cluster.yaml"' in (units / "vipkeeper.service").read_text()
    steps = numbered(capsys.readouterr().out)
    assert f"on each of them: vipkeeper init --unit-only --directory '{place}'" in steps
    assert f"on each server: vipkeeper doctor --config '{place}/cluster.yaml'" in steps


def test_steps_come_in_an_order_that_can_be_followed() -> None:
    at = Situation(init.DIRECTORY, init.DIRECTORY, ("10.0.0.100",), ("cp1", "cp2"), "rke2", True)
    steps = after_all(at)
    words = ["install vipkeeper", "scp -p", "init --unit-only", "tls-san", "node-ip", "doctor"]
    words += ["systemctl daemon-reload && systemctl enable --now vipkeeper", "status --watch"]
    assert len(steps) == len(words)
    assert all(word in step for word, step in zip(words, steps, strict=True))
    assert not any("--config" in step or "--directory" in step for step in steps)


def test_without_a_unit_the_daemon_is_run_by_hand_with_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", *CLUSTER, "--directory", str(tmp_path)]) == 0
    done = capsys.readouterr()
    steps = numbered(done.out)
    assert f"on each server: vipkeeper run --config {tmp_path}/cluster.yaml" in steps
    assert "--unit-only" not in done.out
    assert done.err == ""


def test_other_servers_get_the_unit_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, units = tmp_path / "etc", tmp_path / "units"
    words = ("--unit-only", "--directory", str(place), "--unit-directory", str(units))
    assert main(["init", *words]) == 0
    assert not place.exists()
    assert f"--config {place}/cluster.yaml" in (units / "vipkeeper.service").read_text()
    first = numbered(capsys.readouterr().out)[0]
    assert first.startswith(f"copy cluster.yaml and key to {place}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "init: --vip and --server must be given"),
        (SERVERS, "init: --vip must be given"),
        (("--unit-only", *CLUSTER), "init: --unit-only writes no cluster.yaml: leave --vip out"),
    ],
)
def test_options_that_do_not_fit_together_are_named(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--directory", str(tmp_path / "etc"), "--unit-directory", str(tmp_path / "units"))
    assert main(["init", *words, *place]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


CONFIG = Path("/etc/vipkeeper/cluster.yaml")


@pytest.mark.parametrize("top", ["/tmp", "/var/tmp", "/home", "/root", "/run/user"])
def test_program_that_the_unit_cannot_see_is_warned_of(top: str) -> None:
    (line,) = obstacles(Path(top, "me/bin/vipkeeper"), (), CONFIG)
    assert f"hide {top} from it" in line
    assert "/opt/vipkeeper" in line


def test_whatever_the_program_needs_counts() -> None:
    shell = Path("/bin/sh")
    assert obstacles(shell, (Path("/usr"),), CONFIG) == []
    (line,) = obstacles(shell, (Path("/usr"), Path("/home/me/clone/src/vipkeeper")), CONFIG)
    assert "it needs /home/me/clone/src/vipkeeper" in line
    (line,) = obstacles(shell, (), Path("/root/cluster.yaml"))
    assert "cannot read /root/cluster.yaml" in line
    (line,) = obstacles(Path("/nonexistent/vipkeeper"), (), CONFIG)
    assert "is not there" in line


def test_link_to_a_hidden_program_is_seen_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, link = tmp_path / "home", tmp_path / "bin"
    link.symlink_to(home / "vipkeeper")
    monkeypatch.setattr(next_steps, "HIDDEN", (home,))
    (line,) = obstacles(link, (), CONFIG)
    assert f"hide {home} from it" in line


def test_a_key_that_is_not_there_is_said_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "etc"
    assert main(["init", *CLUSTER, "--directory", str(place), "--key-from", "/nope"]) == 2
    said = capsys.readouterr().err
    assert "--key-from /nope: no such file" in said
    assert "vipkeeper init" not in said
    assert not place.exists()


DISTRIBUTIONS = ("rke2", "k3s", "kubeadm", "none")
VIPS = (("10.0.0.100",), ("fd00::100",), ("10.0.0.100", "fd00::100"), ("10.0.0.100", "10.0.0.101"))


@pytest.mark.parametrize(
    ("vips", "distribution", "profile", "interface", "systemd"),
    [*product(VIPS, DISTRIBUTIONS, ("bare-metal", "vm"), ((), ("eth0",)), (False, True))],
)
def test_what_it_writes_has_no_findings(
    vips: tuple[str, ...],
    distribution: str,
    profile: str,
    interface: tuple[str, ...],
    systemd: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = "fd00::" if vips == ("fd00::100",) else "10.0.0."
    words = [f"--vip={vip}" for vip in vips]
    words += [f"--server=cp{n}={network}{n}" for n in (1, 2, 3)]
    words += [f"--distribution={distribution}", f"--profile={profile}"]
    words += [f"--interface={name}" for name in interface]
    words += [f"--directory={tmp_path}", f"--unit-directory={tmp_path}"]
    assert main(["init", *words, *(["--systemd"] if systemd else [])]) == 0
    files = [path for path in sorted(tmp_path.iterdir()) if path.name != "key"]
    assert len(files) == 1 + systemd
    capsys.readouterr()
    assert main(["lint", "--output", "concise", *map(str, files)]) == 0
    codes = set(re.findall(r"VK\d+", capsys.readouterr().out))
    assert codes == (
        {"VK709"} if distribution == "none" else set()
    )  # it is true: nothing is checked


def test_a_vip_outside_every_subnet_of_this_host_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--vip", "10.9.0.100", *SERVERS, "--force", "--directory", str(tmp_path)]
    assert main(words) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "has a subnet that holds 10.9.0.100" in line
    assert main([*words, "--interface", "eth0"]) == 0
    assert capsys.readouterr().err == ""
