"""Published files that the landing does not make again, under new masks.

A day whose landing is gone, or holds less than its file, keeps that file or some
of its rows: what a new mask hides in it is masked there, and all else of it stays
as it is, its footer included. Logs, reports of runs and what was set aside may
quote inputs as well: they become their owner's alone. Under which masks that was
done last stands in `state/masked_by`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.publish.landing_views import literal_path, quote
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.plan import Plan
from exporter.publish.published import read_footers
from ingest import files
from ingest.masking.masks import Masks
from ingest.root import Root

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXTS = ("VARCHAR", "JSON")
# They may quote inputs: logs, reports of runs, and what was set aside.
OLD_TEXTS = (
    "g/logs/parquet_export.log*",
    "g/reports/parquet/*.md",
    "g/analytics/**/*.damaged",
    "knowledge/optimize/parquet/**/*.damaged",
)


def mask_published(
    root: Root, ledger: Ledger, plan: Plan, masks: Masks, masked_by: str
) -> list[str]:
    """Mask what is published for good, once; returns the files that changed.

    Raises OSError.
    """
    note = root.state / "masked_by"
    try:
        if files.read(note) == masked_by.encode():
            return []
    except FileNotFoundError:
        pass
    made = {path for *_, path in plan.current} | {t.path for t in plan.stale}
    kept = {shrunken.path for shrunken in plan.shrunken}
    kept |= {target.path for target in plan.stale if target.keeps_missing}
    kept |= {path for path, file in plan.published.items() if "kept" in file.metadata}
    lasting = sorted((plan.published.keys() - made) | (kept & plan.published.keys()))
    changed = _mask_all(root, ledger, plan, lasting, masks) if lasting else []
    _hide_old_texts(root)
    files.write_text(note, root.staging, masked_by, mode=0o600)
    return changed


def _hide_old_texts(root: Root) -> None:
    """Let only the owner read texts that older masks let through and that nothing
    masks anew."""
    for pattern in OLD_TEXTS:
        for path in root.path.glob(pattern):
            if stat.S_ISREG(path.lstat().st_mode):
                path.chmod(0o600)


def _mask_all(
    root: Root, ledger: Ledger, plan: Plan, paths: Iterable[str], masks: Masks
) -> list[str]:
    import duckdb  # here, because a run with nothing to do does without

    with duckdb.connect() as db:
        changed = [
            path for path in paths if _mask(db, root, path, plan.published[path], masks)
        ]
    for path, file in read_footers(root, changed).items():
        ledger.put_published(path, file)
    return changed


def _mask(
    db: DuckDBPyConnection, root: Root, path: str, file: PublishedFile, masks: Masks
) -> bool:
    """Put a masked copy of a file in its place, if there is anything to mask."""
    place = root.path / path
    db.execute(
        "create or replace temp table rows as select * from read_parquet(?, "
        "hive_partitioning = false, file_row_number = true)",
        [literal_path(str(place))],
    )
    columns = db.execute("describe rows").fetchall()
    is_masked = [
        _mask_column(db, name, masks) for name, kind, *_ in columns if kind in TEXTS
    ]
    if not any(is_masked):
        return False
    footer = ", ".join(f"{key}: {quote(text)}" for key, text in file.metadata.items())
    with files.write_aside(root.staging, place.name) as made:
        db.execute(
            f"copy (select * exclude (file_row_number) from rows "
            f"order by file_row_number) to {quote(str(made))} (format parquet, "
            f"compression snappy, parquet_version v1, kv_metadata {{{footer}}})"
        )
        _check(made, file)
        made.chmod(stat.S_IMODE(os.stat(place).st_mode))
        files.move_into_place(made, place)
    return True


def _mask_column(db: DuckDBPyConnection, name: str, masks: Masks) -> bool:
    found = db.execute(f'select distinct "{name}"::varchar from rows').fetchall()
    pairs = [(old, masks.text(old)) for (old,) in found if old is not None]
    pairs = [(old, new) for old, new in pairs if old != new]
    if not pairs:
        return False
    old, new = map(list, zip(*pairs, strict=True))
    db.execute(
        "create or replace temp table masked as "
        "select unnest(?::varchar[]) as old, unnest(?::varchar[]) as new",
        [old, new],
    )
    db.execute(
        f'update rows set "{name}" = masked.new from masked '
        f'where rows."{name}"::varchar = masked.old'
    )
    return True


def _check(made: Path, file: PublishedFile) -> None:
    """Raise OSError for a copy that is not the file but for its texts."""
    copy = read_footers(Root(made.parent), [made.name]).get(made.name)
    if copy is None or (copy.row_count, copy.metadata, copy.shape) != (
        file.row_count, file.metadata, file.shape
    ):  # fmt: skip
        raise OSError(f"{made}: a masked copy of it came out as another file")
