"""cluster.yaml: any text gives a configuration the daemon can start with, or a ConfigError."""

from __future__ import annotations

import random
from pathlib import Path

from fuzz.mutate import mutate
from fuzz.target import Target
from fuzz.wording import change
from vipkeeper.config.checker import ConfigError
from vipkeeper.config.load import load_text
from vipkeeper.daemon.prober.config import ProberConfig
from vipkeeper.daemon.settings import core_settings, prober_config

PATH = Path("cluster.yaml")
_LONGEST = 4096
_WORDS = (
    *("vip", "servers", "distribution", "key_file", "interface", "port", "advert_interval"),
    *("profile", "election", "kernel_lease", "preempt", "preempt_delay", "when_unready", "checks"),
    *(
        "client_certificate",
        "client_key",
        "gateway",
        "move_budget",
        "strict",
        "auto",
        "none",
        "ca_file",
        "metrics",
        "log_format",
        "listen",
        "textfile",
    ),
    *("10.10.10.100", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0", "0x10", "1e3", "-1", "true"),
    *("100ms", "3s", "0s", "9999999999999999999s", "1h", "[", "]", "{", "}", ": ", "- ", "'", '"'),
    *("\n", "\n  ", "#", "&a", "*a", "!!int", "|\n", ">\n", "? ", "%YAML 1.1\n", "---\n", "...\n"),
    *("http://[::1]:6443/x", "https://:0/", "tcp", "exec", "http", "~", "null", "\t", "\x85", "٣s"),
    *("\u2028", "\ufeff", "\x00", "\ud7ff", "１０ms", "127.0.0.1:٣", "[::1]:9", "none", "rke2"),
)


def check(data: bytes) -> None:
    """Load; what is accepted is turned into what core and prober need."""
    try:
        config = load_text(data, PATH)
    except ConfigError as error:
        judge(error)
        return
    for own in range(len(config.servers)):
        settings = core_settings(config, own)
        assert settings.advert_interval > 0
        assert settings.kernel_lease >= 4 * settings.advert_interval
    prober = prober_config(config)
    assert ProberConfig.from_json(prober.to_json()) == prober


def judge(error: ConfigError) -> None:
    """Every problem is one printable line; the first names a place."""
    lines = str(error).splitlines()
    assert lines
    assert lines[0].count(":") >= 3
    for line in lines:
        assert line.isprintable(), f"not printable: {line!r}"


def in_yaml(data: bytes, rng: random.Random) -> bytes:
    """The file changed in words of the configuration, or in bytes."""
    changed = change(data.decode("utf-8", "replace"), rng, _WORDS).encode("utf-8", "replace")
    return mutate(changed, rng, _LONGEST) if rng.random() < 0.2 else changed


TARGET = Target("config", check, longest=_LONGEST, mutate=in_yaml)
