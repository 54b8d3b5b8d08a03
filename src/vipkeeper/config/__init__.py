"""Our own configuration: a positioned YAML tree, a checker that reports all errors at once, the model."""
