"""From stale days to files in their place, with dbt in between."""
