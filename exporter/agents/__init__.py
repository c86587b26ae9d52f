"""The nightly schedule: agents for launchd, timers for systemd."""
