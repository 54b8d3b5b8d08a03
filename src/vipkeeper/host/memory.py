"""Files that are on no disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """The path of a file with this content, there as long as the context (memfd_create(2)).

    For OpenSSL, which takes certificates and keys from files only: nothing of them is left, whoever is killed.
    """
    descriptor = os.memfd_create("vipkeeper", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
