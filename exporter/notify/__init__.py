"""Notices: what is told, and how it reaches somebody."""
