"""What must always hold, as predicates over a trace of nodes and of the world.

`Checker` takes a trace record by record, from the simulator in memory or from NDJSON (`reading`), and
says which promise was broken, when, and by how much. A predicate judges only what it can know: where the
world is disturbed in a way that its bound does not cover, it keeps silent and says so in its docstring.
"""
