"""The daemon's process: checks what it needs, waits for its own address, runs the keeper."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from vipkeeper.config.cluster import ClusterConfig
from vipkeeper.config.load import ConfigError, examine, is_sound
from vipkeeper.daemon import log
from vipkeeper.daemon.keeper import Keeper
from vipkeeper.daemon.options import Options
from vipkeeper.errors import HostError, UsageError
from vipkeeper.host import capabilities, clock, strict
from vipkeeper.host.netlink import Addresses
from vipkeeper.host.notify import Notifier
from vipkeeper.host.rundir import RunDirectory

_ON_THE_HOST = ("vip", "servers", "interface")
"""The keys that say what this host must have."""
LOOK_AGAIN_AFTER = 1.0
"""Seconds between two looks for an own address that is not there yet."""


def run(options: Options) -> int:
    """Run the daemon until SIGTERM or SIGINT; the exit code.

    Raises:
        ConfigError, HostError: what the user must mend.
    """
    config, problems = examine(options.config)
    if config is None or problems:
        raise ConfigError(problems)
    capabilities.require()
    log.set_up(options.log_format or log.LogFormat(config.log_format.value))
    try:
        asyncio.run(_run(options, config, logging.getLogger("vipkeeper")))
    except OSError as error:
        raise HostError(str(error)) from error
    return 0


async def _run(options: Options, config: ClusterConfig, logger: logging.Logger) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # nothing to reload before the keeper runs
    notifier = Notifier()
    directory = RunDirectory(options.run_dir, clock.host_boot_id(), config.vips)
    with contextlib.closing(directory):
        own = await _wait_for_own_address(config, stop, notifier, logger)
        if own is not None:
            keeper = Keeper(
                config,
                own,
                options=options,
                directory=directory,
                notifier=notifier,
                logger=logger,
            )
            await keeper.serve(stop)


async def _wait_for_own_address(
    config: ClusterConfig, stop: asyncio.Event, notifier: Notifier, logger: logging.Logger
) -> int | None:
    """The index of this host in servers; an address may still be coming, so wait for it."""
    addresses = Addresses(config.vips, config.servers[0].address, config.interface, clock.now)
    addresses.open()
    told = False
    try:
        while not stop.is_set():
            addresses.view()
            here = {local.address for local in addresses.snapshot.addresses}
            for index, server in enumerate(config.servers):
                if server.address in here:
                    return index
            if not told:
                text = (
                    f"this host has none of the addresses in servers ({_listed(config)}): waiting"
                )
                logger.warning("%s", text)
                notifier.ready(text)
                told = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_AFTER)
    finally:
        addresses.close()
    return None


def check(options: Options) -> int:
    """Say whether the configuration can be used on this host; the exit code.

    Raises:
        UsageError: what the user must mend, in the configuration, the key file and on this host: all at once.
    """
    config, problems = examine(options.config)
    lines = str(ConfigError(problems)).splitlines()
    if config is not None and config.vips and config.servers:
        sound = frozenset(k for k in _ON_THE_HOST if is_sound(config, problems, k))
        lines += asyncio.run(_host_errors(config, sound))
    if lines:
        raise UsageError("\n".join(lines))
    return 0


async def _host_errors(config: ClusterConfig, sound: frozenset[str]) -> list[str]:
    """What this host lacks, as far as the keys that it hangs on are sound."""
    addresses = Addresses(config.vips, config.servers[0].address, config.interface, clock.now)
    try:
        addresses.open()
    except HostError as error:
        return [str(error)]
    here = {local.address for local in addresses.snapshot.addresses}
    places = {vip: addresses.interface(vip) for vip in config.vips}
    addresses.close()
    found: list[str] = []
    if "servers" in sound and not any(server.address in here for server in config.servers):
        found.append(f"this host has none of the addresses in servers ({_listed(config)})")
    lost = [str(vip) for vip, interface in places.items() if interface is None]
    if lost and {"vip", "interface"} <= sound:
        found.append(
            f"no interface of this host has a subnet that holds {', '.join(lost)}: choose a VIP in "
            "the servers' subnet, or name the `interface`"
        )
    if config.strict_lease is not None:
        try:
            await strict.check(config.vips, config.strict_lease)
        except HostError as error:
            found.append(str(error))
    return found


def _listed(config: ClusterConfig) -> str:
    return ", ".join(f"{server.name} {server.address}" for server in config.servers)
