"""The ops-atomic command: it publishes what ingest has landed, and tells of it."""

__version__ = "0.2.0"
