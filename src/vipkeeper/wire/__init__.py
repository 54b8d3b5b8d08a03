"""Codecs: bytes to values and back. No I/O, no clock; nothing else of the package is imported.

Every decoder is total: any bytes give a value or a named rejection, never an exception.
"""
