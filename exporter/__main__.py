"""`python -m exporter` is `ops-atomic`."""

from exporter.cli import main

main(prog_name="ops-atomic")
