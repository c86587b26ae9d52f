"""The nightly schedule: agents for launchd, timers for systemd.

`agents` is the command group; `exporter.agents.service` is the library below it.
"""

from exporter.agents.cli import agents

__all__ = ["agents"]
