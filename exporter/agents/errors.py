"""What can go wrong with agents, told so that the operator can act on it."""

from __future__ import annotations


class AgentError(Exception):
    """Something failed outside of us; the text says what, and what to do."""


class AgentRefused(AgentError):
    """What was asked for cannot work, so nothing was changed."""
