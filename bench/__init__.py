"""Benchmarks: `python -m bench`. No part of the package."""
