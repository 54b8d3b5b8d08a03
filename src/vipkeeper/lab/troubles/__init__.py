"""The closed loop of `why`: break the cluster in a box, collect as an operator would, hold the answer against the fault."""
