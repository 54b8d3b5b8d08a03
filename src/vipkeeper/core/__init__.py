"""Decisions. No clock, socket, randomness, logging or environment: time and facts come as arguments.

The contract of `core.node.Node` (in the manner of aioquic and etcd-io/raft):

* `handle(event, now) -> list[Action]` takes one event and says what to do;
* `deadline() -> Instant | None` says when to send the next `Tick` if nothing else happens.

The shell carries actions out in the order given and reports the outcome of those with an id as events;
what only tells (transitions, alarms, records, the exit) may wait until nothing else is left to do.
"""
