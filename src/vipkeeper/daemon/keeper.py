"""Assembles the keeper of one server, runs it, and takes it down in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.config.cluster import ClusterConfig, Distribution
from vipkeeper.config.load import ConfigError, load, read_keys
from vipkeeper.core.actions import AddressOperation, State
from vipkeeper.core.events import AddressOutcome, Reconfigured, Started, Verb
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, SECOND, Record
from vipkeeper.daemon.control import ControlServer
from vipkeeper.daemon.driver import Driver, Ports
from vipkeeper.daemon.history import HistoryWriter
from vipkeeper.daemon.metrics import MetricsServer
from vipkeeper.daemon.observer import Reporter, Trace
from vipkeeper.daemon.options import Options
from vipkeeper.daemon.placement import Placement
from vipkeeper.daemon.prober.client import Prober
from vipkeeper.daemon.protocol import SOCKET_NAME
from vipkeeper.daemon.services import Services
from vipkeeper.daemon.settings import api_port, core_settings, gateway_rule, prober_config
from vipkeeper.daemon.strict import StrictLease
from vipkeeper.errors import HostError
from vipkeeper.host import clock, scheduling, strict
from vipkeeper.host.channels import Channels
from vipkeeper.host.frames import Wire
from vipkeeper.host.inspect_files import is_address, read_server_config
from vipkeeper.host.monitor import Monitor
from vipkeeper.host.netlink import Addresses
from vipkeeper.host.notify import Notifier
from vipkeeper.host.rundir import RunDirectory
from vipkeeper.host.udp import AdvertSocket

RESTART_KEYS = (
    "vips",
    "interface",
    "advert_port",
    "key_file",
    "strict_lease",
    "metrics",
    "log_format",
)
"""What a reload cannot change; the running configuration is kept and the reason given."""

SERVER_FILES = {
    Distribution.RKE2: Path("/etc/rancher/rke2/config.yaml"),
    Distribution.K3S: Path("/etc/rancher/k3s/config.yaml"),
}


class Keeper:
    """The keeper of the server at index `own` of the configuration."""

    def __init__(
        self,
        config: ClusterConfig,
        own: int,
        *,
        options: Options,
        directory: RunDirectory,
        notifier: Notifier,
        logger: logging.Logger,
    ) -> None:
        """Open the advert socket and build everything; nothing runs yet.

        Raises:
            ConfigError: the key file cannot be used.
            HostError: the advert port is taken, or the trace cannot be written.
        """
        self._config = config
        self._own = own
        self._directory = directory
        self._notifier = notifier
        self._logger = logger
        server = config.servers[own]
        keys = read_keys(config.key_file)
        settings = core_settings(config, own)
        self._trace = Trace(options.trace, settings, clock.now()) if options.trace else None
        self._history = HistoryWriter(options.state_dir)
        self._reporter = Reporter(server.name, logger, directory, self._history, self._trace)
        self._node = Node(settings, secrets.randbits(63) + 1)
        self._adverts = AdvertSocket(server.address, config.advert_port)
        self._addresses = Addresses(
            config.vips, server.address, config.interface, clock.now, gateway_rule(config)
        )
        wire, self._channels = Wire(), Channels(clock.now)
        self._strict = (
            StrictLease(config.strict_lease, wire.emit, clock.now, logger.warning)
            if config.strict_lease is not None
            else None
        )
        self._placement = Placement(
            self._addresses,
            wire,
            self._channels,
            config.vips,
            server.address,
            self._wire_readable,
            self._strict,
        )
        self._placement.ask(config.server_addresses, api_port(config))
        ports = Ports(
            clock.now,
            self._placement,
            wire,
            self._channels,
            self._adverts,
            self._reporter,
            self._strict,
        )
        self._driver = Driver(self._node, ports, keys)
        self._monitor = Monitor(config.vips, self._driver.host_changed)
        self._prober = Prober(prober_config(config), self._driver.post, log=logger.warning)
        self._services = Services(
            self._node,
            self._driver,
            self._reporter.durations,
            config=config.path,
            state_dir=options.state_dir,
            logger=logger,
        )
        self._control = ControlServer(directory.path / SOCKET_NAME, self._services.answer)
        self._exporter = MetricsServer(self._services.metrics)
        self._reloading: asyncio.Task[None] | None = None

    def _wire_readable(self) -> None:
        self._driver.wire_readable()

    async def serve(self, stop: asyncio.Event) -> None:
        """Take part until `stop` is set and the VIP is released.

        Raises:
            OSError: control socket or metrics port cannot be opened.
            HostError: the strict lease is asked for, and this host cannot do it.
        """
        loop = asyncio.get_running_loop()
        self._reporter.on_state = self._tell_systemd
        self._driver.on_turn = self._watchdog()
        async with contextlib.AsyncExitStack() as stack:
            if self._trace is not None:
                stack.callback(self._trace.close)
            self._history.start()
            stack.callback(self._history.close)
            self._addresses.open()
            stack.callback(self._addresses.close)
            record = await self._inherit()
            self._monitor.open()
            stack.callback(self._monitor.close)
            stack.callback(self._placement.close)
            stack.callback(self._adverts.close)
            stack.callback(self._channels.close)
            for fileno, readable in (
                (self._adverts.fileno(), self._driver.adverts_readable),
                (self._channels.fileno(), self._driver.channels_readable),
            ):
                loop.add_reader(fileno, readable)
                stack.callback(loop.remove_reader, fileno)
            await self._start_services(stack)
            loop.add_signal_handler(signal.SIGHUP, self._reload)
            stopping = asyncio.create_task(self._shut_down(stop))
            stack.callback(stopping.cancel)
            view = await self._placement.view()
            self._advise()
            self._go_real_time()
            await self._driver.run(Started(view, record))
            if self._strict is not None:
                await self._strict.close()

    async def _inherit(self) -> Record | None:
        """What an earlier run left: its record, and the table of a strict lease if it was killed.

        The lease of a strict run has ended, or could be ending, by now, and others may have claimed:
        such a VIP is never adopted. It leaves before the table that silences it.
        """
        config, record = self._config, self._directory.load()
        if config.strict_lease is not None:
            await strict.check(config.vips, config.strict_lease)
        elif await strict.left_over():
            removal = self._addresses.change(AddressOperation.REMOVE, 0, None)
            outcome, *_, detail = removal
            if outcome is not AddressOutcome.DONE:
                raise HostError(f"cannot remove the VIP that an earlier run left: {detail}")
            await strict.remove()
            self._logger.info("removed the table of a strict lease that an earlier run left")
        else:
            return record
        return record and dataclasses.replace(record, holding=False)

    async def _start_services(self, stack: contextlib.AsyncExitStack) -> None:
        await self._control.start()
        stack.push_async_callback(self._control.stop)
        await self._prober.start()
        stack.push_async_callback(self._prober.stop)
        if self._config.metrics.listen is not None:
            await self._exporter.start(*self._config.metrics.listen)
            stack.push_async_callback(self._exporter.close)
        if self._config.metrics.textfile is not None:
            writing = asyncio.create_task(
                self._services.write_textfile(self._config.metrics.textfile)
            )
            stack.callback(writing.cancel)

    def _go_real_time(self) -> None:
        config = self._config
        if config.metrics.listen is not None or config.metrics.textfile is not None:
            self._services.metrics()  # imports what it needs before memory is frozen
        scheduling.freeze()  # may take some hundredths of a second: done while others still go first
        self._services.realtime = str(scheduling.prepare())
        self._logger.info(
            "vipkeeper %s on %s: %d server(s), VIP %s; %s%s",
            __version__,
            config.servers[self._own].name,
            len(config.servers),
            " ".join(str(vip) for vip in config.vips),
            self._services.realtime,
            f"; strict lease {config.strict_lease // MILLISECOND} ms"
            if config.strict_lease
            else "",
        )

    def _advise(self) -> None:
        """Warn of what the control plane's own configuration would make of the VIP."""
        main = SERVER_FILES.get(self._config.distribution)
        found = read_server_config(main) if main is not None else None
        if found is None or not found.files:
            return
        if not found.node_ip:
            self._logger.warning(
                "%s sets no node-ip: the first address of the interface becomes the node's, which "
                "can be the VIP; set node-ip to %s (see `vipkeeper doctor`)",
                found.files[0],
                self._config.servers[self._own].address,
            )
        if any(is_address(text, vip) for text in found.node_ip for vip in self._config.vips):
            self._logger.warning("node-ip in %s is the VIP: it moves away", found.files[0])

    async def _shut_down(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._notifier.stopping()
        await self._driver.ask(Verb.SHUTDOWN)

    def _reload(self) -> None:
        """SIGHUP: take the file anew, or keep what runs and say why."""
        self._notifier.reloading()
        try:
            fresh = load(self._config.path)
            keys = read_keys(fresh.key_file)
        except ConfigError as error:
            self._logger.error("reload refused, the running configuration stays:\n%s", error)
        else:
            self._apply(fresh, keys)
        self._tell_systemd(self._node.state)

    def _apply(self, fresh: ClusterConfig, keys: tuple[bytes, ...]) -> None:
        changed = [k for k in RESTART_KEYS if getattr(fresh, k) != getattr(self._config, k)]
        here = self._config.servers[self._own]
        if here not in fresh.servers:
            changed.append("this server's own entry in servers")
        if changed:
            names = ", ".join(changed)
            self._logger.error("reload refused: a change of %s needs a restart", names)
            return
        self._config, self._own = fresh, fresh.servers.index(here)
        self._driver.keys = keys
        self._addresses.gateway = gateway_rule(fresh)
        self._placement.ask(fresh.server_addresses, api_port(fresh))
        self._driver.host_changed()
        self._driver.post(Reconfigured(core_settings(fresh, self._own)))
        self._reloading = asyncio.create_task(self._prober.reconfigure(prober_config(fresh)))
        self._logger.info("configuration reloaded from %s", fresh.path)

    def _tell_systemd(self, state: State) -> None:
        self._notifier.ready(f"{state.value}: {' '.join(str(vip) for vip in self._config.vips)}")

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
