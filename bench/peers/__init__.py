"""What an engineer would otherwise use, doing the same work."""
