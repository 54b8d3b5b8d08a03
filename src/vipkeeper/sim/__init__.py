"""The simulator: production nodes in a world of virtual time, broken by seeded faults, judged by
`core.invariants`."""
