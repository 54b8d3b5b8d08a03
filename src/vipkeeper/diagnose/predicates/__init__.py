"""Predicates that several hypotheses share, by what they look at."""
