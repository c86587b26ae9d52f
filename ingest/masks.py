"""Secrets are masked before anything is written.

The rules stand in `seeds/masks.csv`, one regular expression each. A rule is
tried only where one of its trigger words occurs, so that ordinary text, which
is nearly all of it, costs a few substring searches.
"""

import csv
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ingest.json_text import BadJson, Json, parse_json
from ingest.mask_structure import MASK, hide_nested, hide_open_keys, mask_json
from ingest.secret_names import KEY_NAME, PASSWORD_NAME, TRIGGERS
from ingest.text import RAW_LIMIT, cut

__all__ = ["MASK", "MASKS_CSV", "Masks", "Rule", "load_masks"]

MASKS_CSV = Path(__file__).parents[1] / "seeds" / "masks.csv"

# A secret that begins just before the cut would not be recognised any more.
_MARGIN = 4_096
# What a trigger word is looked for without: all digits, and these unless one is
# written with them.
_NOISE = b", |*:"
_DIGITS = b"0123456789"
# Lines known to hold no trigger: reports say the same things again and again.
_MOST_LINES = 20_000
_LONGEST_LINE = 512
# One pass is nearly always enough; a rule may uncover work for another.
_MAX_PASSES = 5

# What escapes hide from the rules, as in pass\u0077ord or https:\/\/.
_ESCAPED = re.compile(
    r"(?<!\\)\\++(?:u00(2[d-f]|3[0-9a-d]|4[0-9a-f]|5[0-9af]|[67][0-9a])|/)"
)

# A placeholder is no secret, and what is masked stays as it is.
_NOT_PLAIN = (
    r"(?!(?:\?\d*|\$\d+|(?<=[ \t])[:@]\w+|%s|%\(\w+\)s|null|none|nil|undefined|true"
    r"|false)(?:[\s\"'`,;&|<>()\[\]{}:]|$)|\*\*)"
)
_CHAR = r"[^\s\"'`,;&|<>()\[\]{}]"
_WORD = rf"{_NOT_PLAIN}[()\[\]{{}}]{{0,8}}{_CHAR}+(?:[()\[\]{{}}]+{_CHAR}+)*"
# A password goes on behind a comma where it plainly is none of a list.
_MORE = (
    r"(?:[,;|&](?![\w.-]{1,60}\\*[\"']?[ \t]*[=:])"
    r"(?=[^\s\"'`,;&|<>]{0,200}?(?-i:[!@#$%^*+~?]|\d[A-Za-z]|[A-Za-z]\d|[a-z][A-Z]))"
    r"[^\s\"'`,;&|<>]+)*"
)
_QUOTED = (
    rf"(?P<q>\\+[\"']|[\"'`])(?!(?P=q)|\s|,\s*[\"']){_NOT_PLAIN}"
    r"(?:(?!(?P=q))(?:\\[^\n]|[^\n\\]))+(?P=q)"
)
_OPENED = r"(?P<o>\\*[\"'`])?(?!\\+[\"'`])"
# What a pattern of the seed may name.
FRAGMENTS = {
    "{password_name}": PASSWORD_NAME,
    "{key_name}": KEY_NAME,
    "{not_plain}": _NOT_PLAIN,
    "{word}": _WORD,
    "{quoted}": _QUOTED,
    "{value}": f"(?:{_QUOTED}|{_OPENED}{_WORD})",
    "{password}": f"(?:{_QUOTED}|{_OPENED}{_WORD}{_MORE})",
}


class Rule(NamedTuple):
    """What hides one kind of secret where one of its trigger words occurs."""

    name: str
    triggers: tuple[str, ...]
    hide: Callable[[str], str]


# What no regular expression can follow, before and behind the rules of the seed.
_NESTED = Rule("nested", TRIGGERS, hide_nested)
_OPEN_KEY = Rule("open_key", ("private key", "private-lines"), hide_open_keys)
# An escape can hide a word: the text is looked at without it.
_ESCAPES = Rule("escapes", ("\\u", "\\/"), str)


class Masks:
    """The masking rules, ready to use."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = [_ESCAPES, _NESTED, *rules, _OPEN_KEY]
        written = "".join(word for rule in self.rules for word in rule.triggers)
        self._noise = _DIGITS + bytes(
            char for char in _NOISE if char not in written.encode()
        )
        # By word, the places of the rules that it triggers.
        self._words: dict[bytes, set[int]] = {}
        for place, rule in enumerate(self.rules):
            for trigger in rule.triggers:
                word = trigger.encode().translate(None, self._noise)
                self._words.setdefault(word, set()).add(place)
        # Lines seen before: without any word, and the rules of the others.
        self._harmless: set[bytes] = set()
        self._suspect: dict[bytes, frozenset[int]] = {}

    def text(self, text: str) -> str:
        """`text` with secrets replaced; masking it again changes nothing.

        The very same object comes back when there is nothing to replace. What
        is JSON stays so, and but for its secrets as it was written.
        """
        if not self.suspicious(text):
            return text
        masked = text
        if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
            try:
                return self.json(text)[0]
            except BadJson:
                masked = mask_json(text)
        if "\\" in masked:
            plain = _ESCAPED.sub(_unescaped, masked)
            found = self._apply(plain)
            masked = masked if found == plain else found
        else:
            masked = self._apply(masked)
        return text if masked == text else masked

    def json(self, text: str) -> tuple[str, Json]:
        """The masked text of a JSON document, and its value.

        Raises:
            BadJson: it is none.
        """
        value = parse_json(text)
        if not self.suspicious(text):
            return text, value
        masked = mask_json(text, self.text)
        return masked, value if masked == text else parse_json(masked)

    def _apply(self, text: str) -> str:
        for _ in range(_MAX_PASSES):
            triggered = self._triggered(text)
            if not triggered:
                return text
            masked = text
            for place in sorted(triggered):
                masked = self.rules[place].hide(masked)
            if masked == text:
                break
            text = masked
        return text

    def suspicious(self, text: str) -> bool:
        """Whether `text` may hold a trigger word. False: nothing to mask."""
        return bool(self._triggered(text))

    def _triggered(self, text: str) -> set[int]:
        """The places of the rules of which a trigger word may be in a text.

        It is asked of each record, and nearly all say what others said, but
        for their numbers: so only lines not seen before are searched.
        """
        data = text.lower().encode("utf-8", "surrogatepass")
        lines = set(data.translate(None, self._noise).split(b"\n"))
        lines -= self._harmless
        found: set[int] = set()
        if not lines:
            return found
        fresh = lines - self._suspect.keys()
        for line in lines - fresh:
            found |= self._suspect[line]
        rest = b"\n".join(fresh)
        words = [word for word in self._words if word in rest]
        if len(self._harmless) + len(self._suspect) > _MOST_LINES:
            self._harmless.clear()
            self._suspect.clear()
        for line in fresh:
            places = {p for word in words if word in line for p in self._words[word]}
            found |= places
            if len(line) > _LONGEST_LINE:
                continue
            if places:
                self._suspect[line] = frozenset(places)
            else:
                self._harmless.add(line)
        return found

    def raw(self, text: str, limit: int = RAW_LIMIT) -> str:
        """`text` masked and cut to a limit, cheaply however long it is."""
        if len(text) <= limit + _MARGIN:
            return cut(self.text(text), limit)
        masked = self.text(text[: limit + _MARGIN])
        return cut(masked[:-_MARGIN], limit)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "/"


def load_masks(path: Path = MASKS_CSV) -> Masks:
    """The rules of a seed with columns name, trigger, pattern, replacement.

    Raises:
        OSError: the seed cannot be read.
        re.error: a pattern is not a regular expression.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return Masks([_rule(row) for row in csv.DictReader(file)])


def _rule(row: dict[str, str]) -> Rule:
    pattern = row["pattern"]
    for name, fragment in FRAGMENTS.items():
        pattern = pattern.replace(name, fragment)
    hide = partial(re.compile(pattern).sub, row["replacement"])
    return Rule(row["name"], tuple(row["trigger"].split("|")), hide)
