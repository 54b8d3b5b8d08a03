"""The words by which a secret is known: a key, a variable or an option that has one in its name.

One list for the linter, whose outputs show lines of the user's files, and for the bundle, which is sent
to somebody. Misspelt ones are secrets too.
"""

from __future__ import annotations

SECRET_WORDS = (
    *("token", r"tok\w{0,2}n\b", "passw(?:or)?d", "passwo", "passphrase", "auth_pass", "peerpass"),
    *("secret", "secert", "credential", "key-data", "private[-_]?key", "access[-_]?key"),
    *("api[-_]?key", r"\bpsk\b"),
)
"""Regular expressions, to be read without regard to case."""
