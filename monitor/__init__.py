"""The monitor: looks at a machine every few minutes and writes a heartbeat.

It knows nothing of those who read its heartbeats: the file is the interface.
"""
