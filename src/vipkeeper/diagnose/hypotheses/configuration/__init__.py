"""Settings that keep servers from starting or joining, or that do nothing."""
