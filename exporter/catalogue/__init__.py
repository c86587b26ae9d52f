"""What is published as DuckDB views, and the catalogue file that holds them."""
