"""Lists of JSON entry by entry: of a text that is torn, or too large at once.

Only strings, brackets, commas and colons are looked at, so that a bad entry
costs only itself. A string does not run over the end of its line: one that
would has an odd quote, which is passed over.
"""

import re
from collections.abc import Collection, Iterator

_SIGN = re.compile(r"[\[\]{},:]")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+(?P<end>"?)|[\[\]{},:]')


def find_list(text: str, keys: Collection[str]) -> tuple[str, int, int] | None:
    """The first of some keys of an object that is a list, and where that stands.

    From behind its bracket to before the closing one, or the end of the text.
    `keys` in the order of preference.
    """
    found: dict[str, tuple[int, int]] = {}
    depth = 0
    key = name = ""
    start = -1  # of the list that is open
    for sign, at in _signs(text, 0, len(text)):
        if sign in "[{":
            if depth == 1 and sign == "[" and name in keys:
                start = at + 1
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 1:
                if start >= 0:
                    found[name] = (start, at)
                    start = -1
                name = ""  # its value ends here
        elif depth == 1:
            if sign == ":":
                name = key
            elif sign == ",":
                name = ""
            else:
                key = sign[1:-1]
    if start >= 0:
        found[name] = (start, len(text))
    return next(((key, *found[key]) for key in keys if key in found), None)


def split_list(text: str, start: int, end: int) -> Iterator[str]:
    """The texts of a list's entries, which stand between two places."""
    depth = 0
    begin = start
    for sign, at in _signs(text, start, end):
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and depth <= 0:
            if entry := text[begin:at].strip():
                yield entry
            begin = at + 1
    if entry := text[begin:end].strip():
        yield entry


def _signs(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Whatever has a meaning, and where it stands."""
    for token in _TOKEN.finditer(text, start, end):
        if token["end"] == "":
            for sign in _SIGN.finditer(text, token.start() + 1, token.end()):
                yield sign[0], sign.start()
        else:
            yield token[0], token.start()
