"""Whether the other servers' hosts are there at all: who answers ARP under their own addresses."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from vipkeeper.collect.collector import Collector, Phase
from vipkeeper.collect.live.arp import ARP_ROUNDS, answers
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.host.inspect import Address, read_network


def ask_servers(target: Target) -> Iterator[Fact]:
    """ARP requests for every other server that is in a subnet of this host.

    The neighbour table does not tell: an entry outlives its host, and a server that has just lost its
    power, or the way to it, would count as there.
    """
    _, addresses = read_network()
    asked = [
        (server, on)
        for server in target.others
        if (on := _on_link(server, addresses or ())) is not None
    ]
    if not asked:
        return
    with ThreadPoolExecutor(len(asked)) as pool:
        heard = pool.map(lambda pair: answers(target, pair[0].address, pair[1]), asked)
        for (server, on), found in zip(asked, heard, strict=True):
            source = f"{ARP_ROUNDS} ARP requests on {on.interface}"
            raw = ", ".join(sorted(found))
            yield target.of_path(Key.SERVER_UP, bool(found), source, about=server.name, raw=raw)


def _on_link(server: ServerAddress, addresses: tuple[Address, ...]) -> Address | None:
    """This host's address in the server's subnet."""
    return next(
        (
            a
            for a in addresses
            if server.address in a.address.network and a.address.ip != server.address
        ),
        None,
    )


COLLECTORS = (
    Collector(
        "ARP for the servers",
        frozenset({Key.SERVER_UP}),
        ask_servers,
        limit=3.0,
        privilege=Privilege.ROOT,
        phase=Phase.ARP,
    ),
)
