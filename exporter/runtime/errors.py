"""Errors of the operating system, told so that a user can act on them."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path
from typing import Any

from ingest import advice

REMEDIES = {
    "EACCES": "give this user the right to it, or run as its owner",
    "EPERM": "give this user the right to it, or run as its owner",
    "ENOSPC": "free some space on that disk",
    "EDQUOT": "free some space of this user's quota",
    "EFBIG": "raise the limit on file sizes",
    "EROFS": "make that file system writable",
    "ENOTDIR": "a file is in the way of a folder: move it aside",
    "EEXIST": "a file is in the way of a folder: move it aside",
    "EISDIR": "a folder is in the way of a file: move it aside",
    "EXDEV": "keep the root on one file system",
}


def describe(error: Exception) -> str:
    """An operating system's error with the path it is about, and a way out.

    Of any other, its words.
    """
    if not isinstance(error, OSError):
        return str(error)
    name = errno.errorcode.get(error.errno or 0, "")
    where = f"{error.filename}: " if error.filename else ""
    if isinstance(error, PermissionError) and (owner := _other_owner(error.filename)):
        place, user = owner
        mend = f"sudo chown -R {_user_name(os.geteuid())} {advice.path(place)}"
        said = f"{where}{error.strerror}, {place} belongs to {user}"
        return f"{said}; to have it{advice.RUN}{mend}"
    remedy = f" ({REMEDIES[name]})" if name in REMEDIES else ""
    return f"{where}{error.strerror or error}{remedy}"


def first_line(error: Exception) -> str:
    """An error's words without those that follow, as DuckDB shows the query: what
    is told and logged is a line each."""
    return str(error).partition("\n")[0]


def _other_owner(filename: Any) -> tuple[Path, str] | None:
    """What is in the way, if another user owns it, and who that is: the topmost
    folder that is closed to this one, else what lies lowest."""
    if not isinstance(filename, str | bytes) or not filename:
        return None
    path = Path(os.fsdecode(filename)).absolute()
    lowest = path
    for lowest in [*reversed(path.parents), path]:
        if not os.access(lowest, os.F_OK):
            lowest = lowest.parent  # it is the folder that takes nothing new
            break
        if not os.access(lowest, os.R_OK | (os.X_OK if lowest.is_dir() else 0)):
            break
    owner = lowest.stat().st_uid
    return None if owner == os.geteuid() else (lowest, _user_name(owner))


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
