"""One run, from landing to its record."""
