"""The ops-atomic command line."""
