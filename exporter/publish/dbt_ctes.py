"""How dbt puts ephemeral models into the SQL of others, without parsing all of it.

dbt takes a statement of 60 KB apart to find where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# The beginning of a statement with parts of its own, before which others may stand.
WITH = re.compile(
    # Each comment and space is gone through once, whatever follows.
    r"(?>\s+|--[^\n]*\n|/\*.*?\*/)*+with(?:\s+recursive\b)?\s+",
    re.DOTALL | re.IGNORECASE,
)


def put_ctes_in_front() -> None:
    """Let dbt look at the beginning of a statement only, where that is a plain one."""
    from dbt import compilation

    whole: Callable[[str, list[Any]], str] = compilation.inject_ctes_into_sql

    def inject(sql: str, ctes: list[Any]) -> str:
        # Of more than one statement dbt takes the first.
        if not ctes or ";" in sql:
            return whole(sql, ctes)
        put = ", ".join(cte.sql for cte in ctes)
        if begins := WITH.match(sql):
            return f"{begins[0]}{put}, {sql[begins.end() :]}"
        if "with" in sql.lower() or not sql.strip():
            return whole(sql, ctes)
        rest = sql.lstrip()
        return f"{sql[: len(sql) - len(rest)]}with{put} {rest}"

    compilation.inject_ctes_into_sql = inject
