"""A diagnosis in each form of output."""
