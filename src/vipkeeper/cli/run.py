"""`vipkeeper run`: the daemon."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "run"
HELP = """\
Run the daemon that takes part in holding the VIP, in the foreground, until SIGTERM. SIGHUP reloads the
configuration; a bad file keeps the running one and says why.

Exit codes: 0 stopped, 2 the configuration is wrong, a permission is missing, or another daemon runs."""

DEFAULT_CONFIG = Path("/etc/vipkeeper/cluster.yaml")
DEFAULT_RUN_DIR = Path("/run/vipkeeper")
DEFAULT_STATE_DIR = Path("/var/lib/vipkeeper")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    paths = (
        ("--config", DEFAULT_CONFIG, "the configuration, the same on every server"),
        ("--run-dir", DEFAULT_RUN_DIR, "control socket, lock and record"),
        ("--state-dir", DEFAULT_STATE_DIR, "history of moves"),
    )
    for name, default, text in paths:
        parser.add_argument(
            name, type=Path, default=default, metavar="PATH", help=f"{text} (default: {default})"
        )
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="append every event and action as NDJSON"
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), help="instead of log_format in the configuration"
    )
    parser.add_argument(
        "--check", action="store_true", help="only say whether the configuration can be used here"
    )


def main(args: argparse.Namespace) -> int:
    """Run, or only check."""
    if not args.check:
        # Before the costly imports: a restart on a busy machine must end within the kernel lease.
        from vipkeeper.host import scheduling

        scheduling.prepare(scheduling.STARTING)
    from vipkeeper.daemon import main as daemon
    from vipkeeper.daemon.log import LogFormat
    from vipkeeper.daemon.options import Options

    options = Options(
        config=args.config,
        run_dir=args.run_dir,
        state_dir=args.state_dir,
        trace=args.trace,
        log_format=LogFormat(args.log_format) if args.log_format else None,
    )
    return daemon.check(options) if args.check else daemon.run(options)
