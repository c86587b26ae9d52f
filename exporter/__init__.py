"""The ops-atomic command: one run is ingest, dbt build, summary."""

__version__ = "0.2.0"
