"""Index advice: slow queries, the indexes that could help, and what they do."""
