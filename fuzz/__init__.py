"""Fuzz targets for everything that reads foreign bytes, and for the core. See docs/fuzzing.md."""
