"""From reports to landing: the project's own durable copy of all it has read.

This package knows files and parsing. It imports neither dbt nor the exporter,
and gives no value a type: landed cells are text, the dbt models type them.
"""
