"""The programs that a collector asks on a server, as scripts: they print what the runners and units left."""

from __future__ import annotations

import sys
from pathlib import Path

_SYSTEMCTL = """\
#!/bin/sh
[ "$1" = show ] || exit 1
cat "{directory}/units/$2" 2>/dev/null ||
  printf 'LoadState=not-found\\nActiveState=inactive\\nSubState=dead\\nNRestarts=0\\nMainPID=0\\n'
"""
_JOURNALCTL = """\
#!/bin/sh
units= lines= pattern=. form=short-iso
while [ $# -gt 0 ]; do
  case $1 in
    -u | --unit) units="$units $2"; shift ;;
    --lines) lines=$2; shift ;;
    --output) form=$2; shift ;;
    --grep) pattern=$2; shift ;;
    --dmesg) exit 0 ;;
  esac
  shift
done
for unit in $units; do
  grep -e "$pattern" "{directory}/journal/$unit.log" 2>/dev/null
done | if [ -n "$lines" ]; then tail -n "$lines"; else cat; fi |
  if [ $form = cat ]; then sed 's/^[^ ]* [^ ]* [^ ]*: //'; else cat; fi
"""
_CRICTL = """\
#!/bin/sh
printf '{{"containers":['
comma=
for entry in "{directory}"/containers/*; do
  [ -f "$entry" ] || continue
  printf '%s' "$comma"
  cat "$entry"
  comma=,
done
printf ']}}'
"""
_VIPKEEPER = """\
#!{python}
from vipkeeper.cli.main import entry

entry()
"""


def write(directory: Path) -> Path:
    """Write them for one machine; the folder to put first into its PATH."""
    folder = directory / "bin"
    folder.mkdir(parents=True)
    for name, text in (
        ("systemctl", _SYSTEMCTL),
        ("journalctl", _JOURNALCTL),
        ("crictl", _CRICTL),
        ("vipkeeper", _VIPKEEPER),
    ):
        path = folder / name
        path.write_text(text.format(directory=directory, python=sys.executable))
        path.chmod(0o755)
    return folder
