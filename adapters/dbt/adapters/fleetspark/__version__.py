"""The version that dbt names in its log: that of ops-atomic."""

from exporter import __version__ as version

__all__ = ["version"]
