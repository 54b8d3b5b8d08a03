"""`python -m bench` is what `./dev bench` runs; `command.py` says what there is."""

from bench.start import entry

entry()
