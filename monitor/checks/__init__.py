"""The checks: each takes its part of the settings and says how things stand."""
