"""The nightly schedule: agents for launchd, timers for systemd.

`agents` is the command group; `service` and `status` are the library below it.
"""

from exporter.agents.cli import agents

__all__ = ["agents"]
