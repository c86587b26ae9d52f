"""What is shown holds no secrets, and no more of the machine than it must."""

from __future__ import annotations

import functools
import os
import re

from ingest.masking.masks import Masks, load_masks


@functools.cache
def _masks() -> Masks:
    return load_masks()


def redact(text: str) -> str:
    """A text with its secrets masked and the home folder written as `~`.

    For everything that is shown or kept and may come from an input or from an
    exception.
    """
    shown = _masks().text(text)
    home = os.path.expanduser("~")
    if home.strip("/") == "":
        return shown
    # Whole folder names only: /root is not the beginning of /rootfs.
    return re.sub(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])", "~", shown)
