"""Secrets are masked before anything is written.

The rules stand in `seeds/masks.csv`, one regular expression each. A rule is
tried only where one of its trigger words occurs, so that ordinary text, which
is nearly all of it, costs a few substring searches.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ingest import files
from ingest.masking.secret_names import KEY_NAME, PASSWORD_NAME, TRIGGERS
from ingest.masking.structure import MASK, hide_nested, hide_open_keys, mask_json
from ingest.root import PROJECT
from ingest.text.clean import RAW_LIMIT, cut
from ingest.text.json_text import BadJson, Json, parse_json

__all__ = ["MASK", "MASKS_CSV", "Masks", "Rule", "load_masks"]

MASKS_CSV = PROJECT / "seeds" / "masks.csv"

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
_QUOTED = (  # in SQL also N'x' and E'x'
    rf"(?:[neNE](?='))?(?P<q>\\+[\"']|[\"'`])(?!(?P=q)|\s|,\s*[\"']){_NOT_PLAIN}"
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

    def __init__(
        self,
        rules: Iterable[Rule],
        off: Collection[str] = (),
        problems: Iterable[str] = (),
        own: str = "",
    ) -> None:
        """`off` are the names of rules that are switched off; `own` is what the
        operator has written."""
        rules = list(rules)
        on = [rule for rule in rules if rule.name not in off]
        self.rules = [_ESCAPES, _NESTED, *on, _OPEN_KEY]
        self.problems = list(problems)
        self.own = own
        self._known = Masks(rules) if len(on) < len(rules) else self
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

    def identity(self, text: str) -> str:
        """A masked text as it would be if no rule was switched off.

        By it a text is known: one that was landed before a rule was switched
        off is the same as one that is read after.
        """
        return text if self._known is self else self._known.text(text)

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


def load_masks(seed: Path = MASKS_CSV, own: Path | None = None) -> Masks:
    """The rules of a seed with columns name, trigger, pattern, replacement.

    `own` is a file of the operator's with the same columns, if it is there. Its
    rows are added; one with the name of a rule stands in its place, and without
    a pattern it switches that off. A row that is no rule is passed over, and
    told of in `problems`.

    Raises:
        OSError: a file cannot be read.
    """
    with seed.open(encoding="utf-8", newline="") as file:
        rules = {row["name"]: _rule(row) for row in csv.DictReader(file)}
    if own is None or not own.exists():
        return Masks(rules.values())
    off = set()
    problems = []
    text = files.read(own).decode("utf-8-sig", "replace")
    for line, row in _rows(text):
        name = row.get("name", "")
        try:
            if not row.get("pattern") and name in rules:
                off.add(name)
            else:
                rules[name] = _checked(row)
                off.discard(name)
        except (KeyError, ValueError, re.error) as error:
            problems.append(f"line {line} is no rule ({error})")
    return Masks(rules.values(), off, problems, text)


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of a file that anybody may have written."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    try:
        for row in reader:
            cells = {str(name).strip(): cell for name, cell in row.items() if name}
            if any(cells.values()):
                yield reader.line_num, cells
    except csv.Error:
        yield reader.line_num, {}


def _rule(row: dict[str, str]) -> Rule:
    pattern = row["pattern"]
    for name, fragment in FRAGMENTS.items():
        pattern = pattern.replace(name, fragment)
    hide = _hiding(pattern, row["replacement"])
    return Rule(row["name"], tuple(row["trigger"].split("|")), hide)


def _hiding(pattern: str, replacement: str) -> Callable[[str], str]:
    """What a rule does with a text. A run that finds nothing new compiles none."""
    compiled = cache(lambda: re.compile(pattern))
    return lambda text: compiled().sub(replacement, text)


def _checked(row: dict[str, str]) -> Rule:
    """A rule that may be none. Raises KeyError, ValueError, re.error."""
    rule = _rule(row)
    if not rule.name or not row["pattern"]:
        raise ValueError("it has no name, or no pattern")
    triggers = tuple(word.lower() for word in rule.triggers)
    if "" in triggers or any("\n" in word for word in triggers):
        raise ValueError("a trigger is a word, or some with | between them")
    if rule.hide(""):
        raise ValueError("its pattern matches where nothing is")
    return rule._replace(triggers=triggers)
