"""Builds the keeper from the configuration, runs it, takes it down in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.config.cluster import ClusterConfig
from vipkeeper.config.load import ConfigError, load, read_keys
from vipkeeper.core import snapshot
from vipkeeper.core.actions import State
from vipkeeper.core.events import Reconfigured, Started, Verb
from vipkeeper.core.node import Node
from vipkeeper.core.status import NodeStatus
from vipkeeper.core.types import SECOND, HostView
from vipkeeper.daemon import log, metrics
from vipkeeper.daemon.control import ControlServer
from vipkeeper.daemon.driver import Driver, Ports
from vipkeeper.daemon.history import HistoryWriter, moves_to_json, read_moves
from vipkeeper.daemon.observer import Reporter, Trace
from vipkeeper.daemon.prober.client import Prober
from vipkeeper.daemon.protocol import (
    SOCKET_NAME,
    DaemonFacts,
    Request,
    RequestVerb,
    Response,
    status_to_json,
)
from vipkeeper.daemon.settings import core_settings, prober_config
from vipkeeper.errors import HostError
from vipkeeper.host import capabilities, clock, scheduling
from vipkeeper.host.frames import Place, Wire
from vipkeeper.host.monitor import Monitor
from vipkeeper.host.netlink import Addresses
from vipkeeper.host.notify import Notifier
from vipkeeper.host.rundir import RunDirectory
from vipkeeper.host.udp import AdvertSocket
from vipkeeper.wire.types import IPAddress

LOOK_AGAIN_AFTER = 1.0
"""Seconds between two looks for an own address that is not there yet."""
TEXTFILE_EVERY = 10.0
RESTART_KEYS = ("vips", "interface", "advert_port", "key_file", "metrics", "log_format")
"""What a reload cannot change; the running configuration is kept and the reason given."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    config: Path
    run_dir: Path
    state_dir: Path
    trace: Path | None = None
    log_format: log.LogFormat | None = None


class Keeper:
    """One run of the daemon."""

    def __init__(self, options: Options, config: ClusterConfig, logger: logging.Logger) -> None:
        self._options = options
        self._config = config
        self._logger = logger
        self._keys = read_keys(config.key_file)
        self._notifier = Notifier()
        self._wire = Wire()
        self._watched: list[int] = []
        self._started = clock.now()
        self._realtime = ""
        self._vips = "".join(f" {vip}" for vip in config.vips)

    async def run(self) -> None:
        """Hold or watch the VIP until SIGTERM or SIGINT.

        Raises:
            HostError: another daemon runs, or the advert port is taken.
        """
        vips = self._config.vips
        with contextlib.closing(
            RunDirectory(self._options.run_dir, clock.host_boot_id(), vips)
        ) as directory:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, lambda: None)
            self._notifier.ready(f"waiting for an address of a server in {self._config.path}")
            own = await self._wait_for_own_address(stop)
            if own is not None:
                await self._serve(own, directory, stop)
        self._notifier.stopping()

    async def _wait_for_own_address(self, stop: asyncio.Event) -> int | None:
        """The index of this host in servers; an address may still be coming, so wait for it."""
        looking = Addresses(self._config.vips, self._config.vips[0], None, clock.now)
        await looking.open()
        told = False
        try:
            while not stop.is_set():
                await looking.view()
                here = {local.address for local in looking.snapshot.addresses}
                for index, server in enumerate(self._config.servers):
                    if server.address in here:
                        return index
                if not told:
                    listed = ", ".join(f"{s.name} {s.address}" for s in self._config.servers)
                    self._logger.warning(
                        "this host has none of the addresses in servers (%s): waiting", listed
                    )
                    told = True
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_AGAIN_AFTER)
        finally:
            await looking.close()
        return None

    async def _serve(self, own: int, directory: RunDirectory, stop: asyncio.Event) -> None:
        config = self._config
        settings = core_settings(config, own)
        server = config.servers[own]
        history = HistoryWriter(self._options.state_dir)
        traced = (
            Trace(self._options.trace, server.name, clock.now()) if self._options.trace else None
        )
        reporter = Reporter(server.name, self._logger, directory, history, traced)
        adverts = AdvertSocket(server.address, config.advert_port)
        addresses = Addresses(config.vips, server.address, config.interface, clock.now)
        node = Node(settings, secrets.randbits(63) + 1)
        ports = Ports(clock.now, addresses, self._wire, adverts, reporter)
        driver = Driver(node, ports, self._keys)
        monitor = Monitor(config.vips, driver.host_changed)
        prober = Prober(prober_config(config), driver.post, log=self._logger.warning)
        control = ControlServer(
            directory.path / SOCKET_NAME, lambda request: self._answer(request, node, driver)
        )
        exporter = metrics.MetricsServer(
            lambda: metrics.render(*self._status(node, driver), reporter.durations)
        )
        loop = asyncio.get_running_loop()
        history.start()
        await addresses.open()
        monitor.open()
        view = await addresses.view()
        ports.addresses = _Followed(
            addresses, lambda host: self._place(addresses, server.address, loop, driver, host)
        )
        self._place(addresses, server.address, loop, driver, view)
        loop.add_reader(adverts.fileno(), driver.readable)
        reporter.on_state = self._tell_systemd
        driver.on_turn = self._watchdog()
        stopping = asyncio.create_task(self._shut_down(stop, driver))
        loop.add_signal_handler(signal.SIGHUP, lambda: self._reload(own, driver, prober, node))
        try:
            await control.start()
            await prober.start()
            if config.metrics.listen is not None:
                await exporter.start(*config.metrics.listen)
            textfile = asyncio.create_task(self._write_textfile(node, driver, reporter))
            self._realtime = str(scheduling.prepare())
            self._logger.info(
                "vipkeeper %s on %s: %d server(s), VIP%s; %s",
                __version__,
                server.name,
                len(config.servers),
                self._vips,
                self._realtime,
            )
            scheduling.freeze()
            await driver.run(Started(view, directory.load()))
            textfile.cancel()
        finally:
            stopping.cancel()
            await prober.stop()
            await control.stop()
            await exporter.close()
            loop.remove_reader(adverts.fileno())
            adverts.close()
            monitor.close()
            self._wire.close()
            await addresses.close()
            history.close()
            if traced is not None:
                traced.close()

    def _place(
        self,
        addresses: Addresses,
        own: IPAddress,
        loop: asyncio.AbstractEventLoop,
        driver: Driver,
        host: HostView,
    ) -> None:
        """Bind the packet sockets to where the VIPs belong now."""
        places = [
            place
            for vip in self._config.vips
            if (place := _place_of(vip, addresses, own)) is not None and host.link_up
        ]
        old = self._watched
        if not self._wire.place(places):
            return
        for fileno in old:
            loop.remove_reader(fileno)
        self._watched = self._wire.filenos
        for fileno in self._watched:
            loop.add_reader(fileno, driver.readable)

    async def _shut_down(self, stop: asyncio.Event, driver: Driver) -> None:
        await stop.wait()
        await driver.ask(Verb.SHUTDOWN)

    def _reload(self, own: int, driver: Driver, prober: Prober, node: Node) -> None:
        """SIGHUP: take the file anew, or keep what runs and say why."""
        self._notifier.reloading()
        try:
            fresh = load(self._config.path)
            self._keys = read_keys(fresh.key_file)
            changed = [k for k in RESTART_KEYS if getattr(fresh, k) != getattr(self._config, k)]
            here = self._config.servers[own]
            index = next((i for i, s in enumerate(fresh.servers) if s == here), None)
            if index is None:
                changed.append("this server's own entry in servers")
        except ConfigError as error:
            self._logger.error("reload refused, the running configuration stays:\n%s", error)
        else:
            if changed or index is None:
                names = ", ".join(changed)
                self._logger.error("reload refused: a change of %s needs a restart", names)
            else:
                self._config = fresh
                driver.keys = self._keys
                driver.post(Reconfigured(core_settings(fresh, index)))
                asyncio.get_running_loop().create_task(prober.reconfigure(prober_config(fresh)))
                self._logger.info("configuration reloaded from %s", fresh.path)
        self._tell_systemd(node.state)

    async def _answer(self, request: Request, node: Node, driver: Driver) -> Response:
        match request.verb:
            case RequestVerb.STATUS:
                status, facts = self._status(node, driver)
                return Response(True, "", status_to_json(status, facts))
            case RequestVerb.HISTORY:
                moves = await asyncio.to_thread(read_moves, self._options.state_dir, request.limit)
                return Response(True, "", moves_to_json(moves))
            case RequestVerb.HANDOVER:
                reply = await driver.ask(Verb.HANDOVER, to=request.to, force=request.force)
            case RequestVerb.RELEASE:
                reply = await driver.ask(Verb.RELEASE)
            case RequestVerb.STANDBY:
                verb = Verb.STANDBY_ON if request.on else Verb.STANDBY_OFF
                reply = await driver.ask(verb, force=request.force)
        return Response(reply.ok, reply.text)

    def _status(self, node: Node, driver: Driver) -> tuple[NodeStatus, DaemonFacts]:
        now = clock.now()
        facts = DaemonFacts(
            version=__version__,
            pid=os.getpid(),
            config=str(self._config.path),
            interface=node.host.interface if node.host is not None else None,
            realtime=self._realtime,
            uptime=now - self._started,
            wall=time.time(),
            lateness=driver.lateness,
        )
        return snapshot.status(node, now), facts

    async def _write_textfile(self, node: Node, driver: Driver, reporter: Reporter) -> None:
        path = self._config.metrics.textfile
        while path is not None:
            text = metrics.render(*self._status(node, driver), reporter.durations)
            try:
                await asyncio.to_thread(metrics.write_textfile, path, text)
            except OSError as error:
                self._logger.warning("cannot write metrics to %s: %s", path, error.strerror)
            await asyncio.sleep(TEXTFILE_EVERY)

    def _tell_systemd(self, state: State) -> None:
        self._notifier.ready(f"{state.value}:{self._vips}")

    def _watchdog(self) -> Callable[[], None] | None:
        interval = self._notifier.watchdog_interval
        if interval is None:
            return None
        every = int(interval * SECOND) // 3
        due = clock.now()

        def alive() -> None:
            nonlocal due
            now = clock.now()
            if now >= due:
                due = now + every
                self._notifier.alive()

        return alive


class _Followed:
    """The addresses, with the packet sockets following every fresh view."""

    def __init__(self, addresses: Addresses, seen: Callable[[HostView], None]) -> None:
        self._addresses = addresses
        self.change = addresses.change
        self._seen = seen

    async def view(self) -> HostView:
        """Read afresh and let the packet sockets follow."""
        host = await self._addresses.view()
        self._seen(host)
        return host


def _place_of(vip: IPAddress, addresses: Addresses, own: IPAddress) -> Place | None:
    link = addresses.snapshot.link(addresses.interface(vip))
    if link is None or len(link.mac) != 6:
        return None
    here = [a.address for a in addresses.snapshot.addresses if a.index == link.index]
    family = [a for a in here if a.version == vip.version and a != vip and not a.is_link_local]
    source = own if own in family else next(iter(family), None)
    return Place(vip, link.name, link.mac, source)


def run(options: Options) -> int:
    """Run the daemon until it is told to stop; the exit code.

    Raises:
        ConfigError, HostError: what the user must mend.
    """
    config = load(options.config)
    capabilities.require()
    log_format = options.log_format or log.LogFormat(config.log_format.value)
    log.set_up(log_format)
    logger = logging.getLogger("vipkeeper")
    try:
        asyncio.run(Keeper(options, config, logger).run())
    except OSError as error:
        raise HostError(f"{error.strerror or error}") from error
    return 0


def check(options: Options) -> int:
    """Say whether the configuration can be used on this host; the exit code.

    Raises:
        ConfigError, HostError: what the user must mend.
    """
    config = load(options.config)
    read_keys(config.key_file)
    asyncio.run(_check_host(config))
    return 0


async def _check_host(config: ClusterConfig) -> None:
    addresses = Addresses(config.vips, config.vips[0], config.interface, clock.now)
    await addresses.open()
    here = {local.address for local in addresses.snapshot.addresses}
    places = {vip: addresses.interface(vip) for vip in config.vips}
    await addresses.close()
    if not any(server.address in here for server in config.servers):
        listed = ", ".join(f"{s.name} {s.address}" for s in config.servers)
        raise HostError(f"this host has none of the addresses in servers ({listed})")
    lost = [str(vip) for vip, interface in places.items() if interface is None]
    if lost:
        raise HostError(
            f"no interface of this host has a subnet that holds {', '.join(lost)}: choose a VIP in "
            "the servers' subnet, or name the `interface`"
        )
