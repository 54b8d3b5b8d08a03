"""`python -m vipkeeper` is the command `vipkeeper`."""

from vipkeeper.cli.main import entry

entry()
