"""The root cause of a VIP that does not answer: facts, predicates over them, hypotheses, the engine. Pure."""
