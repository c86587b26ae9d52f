"""The landing store: parts, ledger, merging, files."""
