"""Certificates and clocks."""
