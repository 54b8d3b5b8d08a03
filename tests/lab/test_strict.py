"""The strict lease on a real kernel: silent without its daemon, heard as long as the daemon lives."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from support.daemons import VIP, Daemon, Site, site
from support.namespaces import PATIENCE, Net, eventually, packet_socket, switch_of
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.host import strict
from vipkeeper.wire import arp, echo, ethernet, ndp

pytestmark = pytest.mark.lab
VIP6 = "fd09::100"
OBSERVER = IPv4Address("10.9.0.12")
OBSERVER6 = IPv6Address("fd09::12")
IN_A_ROW = 6
"""Unanswered questions in a row that count as silence."""
ANSWER_WITHIN = 0.1
SERVERS = {"cp1": "10.9.0.11"}


class Asker:
    """Another machine on the segment, which asks for the VIP without any cache of its own."""

    def __init__(self, net: Net) -> None:
        self._socket = packet_socket(net)
        self._mac = net.mac()

    def arp(self, vip: str = VIP) -> bytes | None:
        """The MAC that says it has the VIP."""
        address = ip_address(vip)
        if isinstance(address, IPv4Address):
            question = arp.probe(address, self._mac)
        else:
            question = ndp.solicitation(address, OBSERVER6, self._mac)

        def answer(data: bytes) -> bytes | None:
            message, neighbour = arp.decode_frame(data), ndp.decode_frame(data)
            if message is not None and message.sender_ip == address:
                return message.sender_mac
            if neighbour is not None and neighbour.kind == ndp.ADVERTISEMENT:
                return neighbour.link_address if neighbour.target == address else None
            return None

        return self._ask(question, answer)

    def ping(self, mac: bytes, vip: str = VIP) -> bytes | None:
        """The MAC that answers an echo sent to a MAC known from before."""
        address = ip_address(vip)
        source = OBSERVER if address.version == 4 else OBSERVER6
        question = echo.echo_request((self._mac, mac), source, address, 7)
        return self._ask(
            question, lambda data: data[6:12] if echo.answer(data, 7, 1) == address else None
        )

    def _ask(self, question: bytes, understand: Callable[[bytes], bytes | None]) -> bytes | None:
        self._socket.send(question)
        end = time.monotonic() + ANSWER_WITHIN
        while select.select([self._socket], [], [], max(0, end - time.monotonic()))[0]:
            data, address = self._socket.recvfrom(2048)
            found = understand(data) if address[2] != socket.PACKET_OUTGOING else None
            if found is not None:
                return found
        return None

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[tuple[Site, Asker]]:
    """A cluster of one, and another machine."""
    with site(tmp_path, "cp1", "observer") as here:
        asker = Asker(here.nets["observer"])
        yield here, asker
        asker.close()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, "cp1", "cp2", "cp3") as here:
        yield here


def silent(ask: Callable[[], bytes | None]) -> bool:
    return all(ask() is None for _ in range(IN_A_ROW))


def assert_goes_on(asker: Asker) -> None:
    """The VIP is heard for several leases."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert not silent(asker.arp)


def failed(net: Net, peer: str) -> bool:
    """Whether the kernel has given up on a neighbour, so that packets to it go nowhere."""
    return "FAILED" in net.ip(f"neigh show {peer}")


def tables(net: Net) -> str:
    return net.call(
        lambda: (
            subprocess.run(
                ["nft", "list", "tables"], capture_output=True, text=True, check=True
            ).stdout
        )
    )


def keep_addresses(here: Site, *vips: str) -> None:
    """Let the kernel keep the VIPs, so that nothing but the packet filter can silence them."""
    for vip in vips:
        length = ip_address(vip).max_prefixlen
        here.nets["cp1"].ip(
            f"addr change {vip}/{length} dev eth0 valid_lft 1000 preferred_lft 0 noprefixroute"
        )


def held(here: Site, vip: object = VIP) -> Daemon:
    daemon = here.start("cp1", here.config(servers=SERVERS, kernel_lease="strict", vip=vip))
    daemon.becomes("holder")
    return daemon


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_vip_is_silent_without_its_daemon_although_the_address_is_there(
    lone: tuple[Site, Asker], number: signal.Signals
) -> None:
    here, asker = lone
    daemon = held(here, vip=[VIP, VIP6])
    mac = here.nets["cp1"].mac()
    asks = [partial(asker.arp, vip) for vip in (VIP, VIP6)]
    asks += [partial(asker.ping, mac, vip) for vip in (VIP, VIP6)]
    assert [eventually(ask) for ask in asks] == [mac] * 4
    daemon.process.send_signal(number)
    keep_addresses(here, VIP, VIP6)
    for ask in asks:
        eventually(partial(silent, ask))
    assert here.has_vip("cp1")
    here.nets["cp1"].nft(f"delete table {strict.TABLE}")
    assert [eventually(ask) for ask in asks] == [mac] * 4


def test_other_addresses_of_a_silenced_host_answer(lone: tuple[Site, Asker]) -> None:
    here, asker = lone
    daemon = held(here)
    daemon.process.send_signal(signal.SIGSTOP)
    eventually(lambda: silent(asker.arp))
    assert eventually(lambda: asker.arp(SERVERS["cp1"])) == here.nets["cp1"].mac()


def test_holder_whose_peers_are_all_off_goes_on_answering(three: Site) -> None:
    daemon = three.start("cp1", three.config(kernel_lease="strict"))
    daemon.becomes("holder")
    net = three.nets["cp1"]
    three.nets["cp3"].ip("link set eth0 down")
    three.nets["cp2"].ip("addr del 10.9.0.12/24 dev eth0")
    asker = Asker(three.nets["cp2"])
    net.ip("neigh flush dev eth0")
    for peer in ("10.9.0.12", "10.9.0.13"):
        eventually(partial(failed, net, peer))
    assert_goes_on(asker)
    asker.close()
    assert daemon.status()["state"] == "holder"


def test_cluster_of_one_goes_on_answering(lone: tuple[Site, Asker]) -> None:
    here, asker = lone
    held(here)
    assert_goes_on(asker)


def test_clean_stop_leaves_no_table_and_no_address(lone: tuple[Site, Asker]) -> None:
    here, _ = lone
    daemon = held(here)
    assert strict.TABLE in tables(here.nets["cp1"])
    assert daemon.end() == 0
    assert strict.TABLE not in tables(here.nets["cp1"])
    assert not here.has_vip("cp1")


@pytest.mark.parametrize("lease", ["auto", "strict"])
def test_what_a_killed_daemon_left_is_removed_at_the_next_start(
    lone: tuple[Site, Asker], lease: str
) -> None:
    here, asker = lone
    held(here).end(signal.SIGKILL)
    keep_addresses(here, VIP)
    watch = here.watch("cp1")
    daemon = here.start("cp1", here.config(servers=SERVERS, kernel_lease=lease))
    daemon.becomes("holder")
    assert "adopted" not in daemon.log
    assert watch.events[:2] == ["removed", "added"]
    assert (strict.TABLE in tables(here.nets["cp1"])) == (lease == "strict")
    assert eventually(asker.arp) == here.nets["cp1"].mac()


def test_release_without_a_daemon_removes_the_table(lone: tuple[Site, Asker]) -> None:
    here, _ = lone
    daemon = held(here)
    daemon.end(signal.SIGKILL)
    config = here.directory / "cluster.yaml"
    done = here.nets["cp1"].call(lambda: daemon.verb("release", "--config", str(config)))
    assert done.returncode == 0, done.stderr
    assert f"strict lease (nftables, {strict.TABLE}) removed" in done.stdout
    assert strict.TABLE not in tables(here.nets["cp1"])
    assert not here.has_vip("cp1")


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_strict_is_refused_with_the_reason_where_nft_is_missing(
    lone: tuple[Site, Asker], words: tuple[str, ...]
) -> None:
    here, _ = lone
    hide = 'mount --bind /dev/null "$(readlink -f "$(command -v nft)")" && exec "$@"'
    config = here.config(servers=SERVERS, kernel_lease="strict")
    done = here.run("cp1", config, *words, prefix=("unshare", "-m", "sh", "-c", hide, "sh"))
    assert done.returncode == 2, done.stderr
    assert "kernel_lease: strict needs nft" in done.stderr
    assert "nft is not installed; use kernel_lease: auto" in done.stderr


def test_table_somebody_removed_is_put_back_without_a_pause(lone: tuple[Site, Asker]) -> None:
    here, asker = lone
    daemon = held(here)
    here.nets["cp1"].nft("flush ruleset")
    daemon.says("somebody removed the table of the strict lease: it was put back")
    assert not silent(asker.arp)
    daemon.process.send_signal(signal.SIGSTOP)
    keep_addresses(here, VIP)
    eventually(lambda: silent(asker.arp))


def test_vip_moves_while_its_holder_is_frozen_and_stays_there(three: Site) -> None:
    config = three.config(servers={"cp1": "10.9.0.11", "cp2": "10.9.0.12"}, kernel_lease="strict")
    first = three.start("cp1", config)
    first.becomes("holder")
    second = three.start("cp2", config)
    second.until(lambda status: status["holder"] == "cp1")
    first.process.send_signal(signal.SIGSTOP)
    second.becomes("holder")
    asker = Asker(three.nets["cp3"])
    assert eventually(asker.arp) == three.nets["cp2"].mac()
    first.process.send_signal(signal.SIGCONT)
    first.until(lambda status: status["state"] == "backup" and status["holder"] == "cp2")
    assert not three.has_vip("cp1")
    assert eventually(asker.arp) == three.nets["cp2"].mac()
    asker.close()


def test_frame_renews_a_running_lease_and_revives_none(lone: tuple[Site, Asker]) -> None:
    """Without a daemon: what the rules do with the two kinds of frames."""
    here, asker = lone
    net = here.nets["cp1"]
    net.ip(f"addr add {VIP}/32 dev eth0")
    marks = strict.Marks(b"arm-----", b"renew---")
    guard = strict.Guard("eth0", 2, (IPv4Address(VIP),))
    net.nft(strict.render([guard], SECOND, marks))
    sender = packet_socket(net)
    mac = net.mac()

    def taken(mark: bytes) -> bool:
        payload = strict.frame_payload(mark)
        try:
            sender.send(ethernet.frame(mac, mac, ethernet.ETHERTYPE_LOCAL, payload))
        except OSError:
            return True
        return False

    assert not taken(marks.renew)
    assert silent(asker.arp)
    wire = packet_socket(switch_of(net), "p1")
    assert taken(marks.arm)
    assert taken(marks.renew)
    assert not taken(b"another-")
    seen = iter(partial(wire.recv, 2048), b"")
    first = next(data for data in seen if data[12:14] == b"\x88\xb5")
    assert first[14:22] == b"another-", "a frame that was taken is on the wire"
    wire.close()
    eventually(lambda: silent(asker.arp))
    assert not taken(marks.renew)
    assert silent(asker.arp)
    assert eventually(lambda: taken(marks.arm) and asker.arp()) == mac
    sender.close()


def test_packets_to_a_silenced_vip_do_not_get_in(lone: tuple[Site, Asker]) -> None:
    here, _ = lone
    net, observer = here.nets["cp1"], here.nets["observer"]
    net.ip(f"addr add {VIP}/32 dev eth0")
    mac = net.mac().hex(":")
    observer.ip(f"neigh replace {VIP} lladdr {mac} dev eth0 nud permanent")
    marks = strict.Marks(b"arm-----", b"renew---")
    guard = strict.Guard("eth0", 2, (IPv4Address(VIP),))
    with net.call(lambda: udp(VIP)) as inside, observer.call(lambda: udp("0.0.0.0")) as outside:
        inside.settimeout(PATIENCE)
        net.nft(strict.render([guard], 300 * MILLISECOND, marks))
        outside.sendto(b"while silent", inside.getsockname())
        net.nft(f"delete table {strict.TABLE}")
        outside.sendto(b"afterwards", inside.getsockname())
        assert inside.recv(100) == b"afterwards"


def udp(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 0))
    return sock
