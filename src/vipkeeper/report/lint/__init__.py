"""What the linter found, in every format. Each module has `render(outcome, ...) -> str`."""
