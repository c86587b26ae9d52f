"""The nightly jobs beside the export: each a command, each installed by choice."""
