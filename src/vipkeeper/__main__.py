"""`python -m vipkeeper` is the command `vipkeeper`."""

from vipkeeper.start import entry

entry()
