"""`python -m vipkeeper.daemon.prober`, as the keeper starts it."""

from vipkeeper.daemon.prober.process import main

main()
