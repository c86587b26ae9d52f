"""Checks a whole installation: the machinery, what it made, and how it runs."""
