"""Compiles Python sources with mypyc in the folder where it is started; each extension lies beside its source.

compile_sources.py LEVEL FILE...
"""

from __future__ import annotations

import os
import sys

from mypyc.build import mypycify
from setuptools import setup


def main(arguments: list[str]) -> int:
    """Compile; LEVEL is that of gcc's -O."""
    level, *files = arguments
    # Settings of a mypy.ini or pyproject.toml of the user's are not ours.
    extensions = mypycify(["--config-file=", *files], opt_level=level, debug_level="0")
    setup(
        name="compiled",
        packages=[],
        ext_modules=extensions,
        script_args=["--quiet", "build_ext", "--inplace", f"--parallel={os.cpu_count() or 1}"],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
