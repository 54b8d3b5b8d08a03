"""Health checks in a process of their own, and the keeper's side of the pipe to it.

The keeper imports `config`, `lines` and `client`; only the prober process imports the rest (TLS, HTTP).
"""
