"""Every hypothesis, one a file, in families by the layer of the cause."""
