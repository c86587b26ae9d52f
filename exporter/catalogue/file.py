"""`g/analytics/ops_atomic.duckdb`: the views, ready to be opened by anybody.

It is made aside and put in its place in one step: a run never waits for who has
it open, and who has it open goes on reading what he opened.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter import __version__
from exporter.runtime.present import VARIABLE, present
from exporter.runtime.rights import users_umask
from ingest import files
from ingest.root import Root
from ingest.store.digests import digest

if TYPE_CHECKING:  # a run with nothing to do does without
    from duckdb import DuckDBPyConnection

    from exporter.catalogue.views import View
    from exporter.publish.ledger import Ledger

# Such a file is opened by DuckDB 1.1 and all that came later.
STORAGE_VERSION = "v1.0.0"
SQL = Path(__file__).with_name("catalogue.sql")
# Whose columns a view shows.
ORIGINS = {
    "query_performance": ("query_perf", "query_texts"),
    "index_recommendations": ("index_advice_lifecycle", "index_advisor"),
}


def catalogue_path(root: Root) -> Path:
    return root.path / "g" / "analytics" / "ops_atomic.duckdb"


def write_catalogue(root: Root, ledger: Ledger | None, is_published: bool) -> None:
    """Write the catalogue, if what it says is not what it should say.

    Where nothing has been published since, only a root that has moved, another
    version of this program or a file that is gone make it worth a look. Raises
    BrokenContract, OSError and duckdb.Error.
    """
    path = catalogue_path(root)
    known = _known(root)
    is_there = known.get("file") == _size_and_time(path) is not None
    about = {"root": str(root.path), "version": __version__, "as_of": _as_of()}
    if is_there and not is_published and known.get("about") == about:
        return
    from exporter.catalogue.views import published_views

    views = published_views(root, ledger)
    more = f"create macro as_of() as {_as_of()};\n{SQL.read_text(encoding='utf-8')}"
    text = "\n".join([*(view.statements() for view in views), more])
    if not is_there or known.get("text") != digest([text]):
        _make(path, root, views, text)
    note = {"about": about, "text": digest([text]), "file": _size_and_time(path)}
    if note != known:
        files.write_text(_note(root), root.staging, json.dumps(note), mode=0o600)
    files.remove_tree(root.staging)


def _make(path: Path, root: Root, views: list[View], text: str) -> None:
    import duckdb

    from exporter.publish.landing_views import quote

    path.parent.mkdir(parents=True, exist_ok=True)
    # Made where the path is plain: DuckDB takes a `?` in it for an option.
    with (
        tempfile.TemporaryDirectory() as folder,
        files.write_aside(root.staging, path.name) as made,
    ):
        plain = Path(folder) / path.name
        with duckdb.connect(config={"threads": 1}) as db:
            version = f"(storage_version '{STORAGE_VERSION}')"
            db.execute(f"attach {quote(str(plain))} as made {version}; use made")
            # All at once: to commit each comment by itself takes most of the time.
            db.execute(f"begin;\n{text}")
            _comment_columns(db, views)
            db.execute("commit; use memory; detach made")
        shutil.copyfile(plain, made)
        # To be read: who opens it to write is told so at once.
        made.chmod(0o444 & ~users_umask())
        # What somebody has written to the one before is not of this one.
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        files.move_into_place(made, path)


def _comment_columns(db: DuckDBPyConnection, views: Iterable[View]) -> None:
    """Tell of the columns of ORIGINS what is told of them where they come from."""
    from exporter.catalogue.views import comment_on

    told = {view.name: view.columns for view in views}
    for name, origins in ORIGINS.items():
        for column, *_ in db.execute(f"describe {name}").fetchall():
            text = next(told[of][column] for of in origins if column in told[of])
            db.execute(comment_on(name, column, text))


def _as_of() -> str:
    """The present moment in SQL: that of who asks, unless it is set."""
    if os.environ.get(VARIABLE, "").strip():
        return f"timestamp '{present()}'"
    return "make_timestamp(epoch_us(now()))"  # UTC, whatever the session's zone


def _size_and_time(path: Path) -> list[int] | None:
    """Size and time of a file."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return [seen.st_size, seen.st_mtime_ns]


def _note(root: Root) -> Path:
    """Where it is noted what was written, and how it was left."""
    return root.state / "catalogue.json"


def _known(root: Root) -> dict[str, Any]:
    """What was noted; nothing, if that cannot be read."""
    try:
        known = json.loads(files.read(_note(root)))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
