"""The table of log messages, by what they are about."""
