"""Many machines in one storage: which files count, and the marts made of them."""
