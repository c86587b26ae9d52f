"""Asks a DuckDB of another version: run by its own Python, knows nothing of ours.

Reads {"path", "queries": {name: SQL}} as JSON from stdin; writes {"version",
"answers": {name: {"columns", "types", "rows"}}}, a text in place of an answer for
a query that failed.
"""

import json
import sys

import duckdb

asked = json.load(sys.stdin)
db = duckdb.connect(asked["path"], read_only=True)
answers: dict[str, object] = {}
for name, sql in asked["queries"].items():
    try:
        found = db.execute(sql)
        answers[name] = {
            "columns": [column[0] for column in found.description],
            "types": [str(column[1]) for column in found.description],
            "rows": found.fetchall(),
        }
    except duckdb.Error as error:
        answers[name] = str(error)
json.dump({"version": duckdb.__version__, "answers": answers}, sys.stdout, default=str)
