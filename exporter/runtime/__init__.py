"""What every command stands on: lock, stop, errors, redaction."""
