"""The shell around the core: driver, prober, control socket, metrics, logs."""
