"""`python -m exporter` is `ops-atomic`."""

from exporter.cli.main import main

main(prog_name="ops-atomic")
