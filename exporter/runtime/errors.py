"""Errors of the operating system, told so that a user can act on them."""

from __future__ import annotations

import errno

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
    remedy = f" ({REMEDIES[name]})" if name in REMEDIES else ""
    return f"{where}{error.strerror or error}{remedy}"
