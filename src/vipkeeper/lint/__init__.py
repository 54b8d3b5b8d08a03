"""Reads the files that decide whether the VIP answers, and finds the mistakes in them. No network."""
