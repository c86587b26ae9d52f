"""Secrets: found by rules and by structure, hidden, and hidden anew."""
