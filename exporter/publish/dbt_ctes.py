"""How dbt puts ephemeral models into the SQL of others, without parsing all of it.

dbt takes a statement of 60 KB apart to find where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# The beginning of a statement with parts of its own, after which others may stand.
WITH = re.compile(
    r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with(?:\s+recursive\b)?\s+",
    re.DOTALL | re.IGNORECASE,
)


def put_ctes_in_front() -> None:
    """Let dbt look at the beginning of a statement only, where that is a plain one."""
    from dbt import compilation

    whole: Callable[[str, list[Any]], str] = compilation.inject_ctes_into_sql

    def inject(sql: str, ctes: list[Any]) -> str:
        # Of more than one statement dbt takes the first.
        begins = WITH.match(sql) if ctes and ";" not in sql else None
        if begins is None:
            return whole(sql, ctes)
        head, rest = sql[: begins.end()], sql[begins.end() :]
        return f"{head}{', '.join(cte.sql for cte in ctes)}, {rest}"

    compilation.inject_ctes_into_sql = inject
