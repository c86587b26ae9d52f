"""Secrets are masked before anything is written.

The rules stand in `seeds/masks.csv`, one regular expression each. A rule is
tried only where one of its trigger words occurs, so that ordinary text, which
is nearly all of it, costs a few substring searches.
"""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from ingest.json_text import Json, Number
from ingest.text import RAW_LIMIT, cut

MASKS_CSV = Path(__file__).parents[1] / "seeds" / "masks.csv"
MASK = "***"

# A secret that begins just before the cut would not be recognised any more.
_MARGIN = 4_096
# What a trigger word is not looked for in, unless one is written with it.
_NOISE = b"0123456789,: |*"
# Lines known to hold no trigger: reports say the same things again and again.
_MOST_LINES = 20_000
_LONGEST_LINE = 512
# One pass is nearly always enough; a rule may uncover work for another.
_MAX_PASSES = 5

_SECRET_KEY = re.compile(
    r"(?:^|[_.\-\s])(?:pass|password|passwd|passphrase|pwd|secret|token"
    r"|api[_\-]?key|access[_\-]?key|secret[_\-]?key|private[_\-]?key|authorization)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Rule(NamedTuple):
    name: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


class Masks:
    """The masking rules, ready to use."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self._triggers = tuple(
            dict.fromkeys(trigger for rule in rules for trigger in rule.triggers)
        )
        self._words = [trigger.encode() for trigger in self._triggers]
        written = b"".join(self._words)
        self._noise = bytes(char for char in _NOISE if char not in written)
        self._by_lines = b"\n" not in written
        self._harmless: set[bytes] = set()

    def text(self, text: str) -> str:
        """`text` with secrets replaced; masking it again changes nothing.

        The very same object comes back when there is nothing to replace.
        """
        if not self.suspicious(text):
            return text
        for _ in range(_MAX_PASSES):
            lowered = text.lower()
            found = {trigger for trigger in self._triggers if trigger in lowered}
            if not found:
                return text
            masked = text
            for rule in self.rules:
                if not found.isdisjoint(rule.triggers):
                    masked = rule.pattern.sub(rule.replacement, masked)
            if masked == text:
                break
            text = masked
        return text

    def suspicious(self, text: str) -> bool:
        """Whether `text` may hold a trigger word. False: nothing to mask.

        It is asked of each record, and nearly all say what others said, but
        for their numbers: so only lines not seen before are searched.
        """
        data = text.lower().encode("utf-8", "surrogatepass")
        lines = set(data.translate(None, self._noise).split(b"\n"))
        fresh = lines - self._harmless
        if not fresh and self._by_lines:
            return False
        rest = b"\n".join(fresh) if self._by_lines else data
        # any() would take twice as long.
        for word in self._words:
            if word in rest:
                return True
        if len(self._harmless) > _MOST_LINES:
            self._harmless.clear()
        self._harmless.update(line for line in fresh if len(line) <= _LONGEST_LINE)
        return False

    def raw(self, text: str, limit: int = RAW_LIMIT) -> str:
        """`text` masked and cut to a limit, cheaply however long it is."""
        if len(text) <= limit + _MARGIN:
            return cut(self.text(text), limit)
        masked = self.text(text[: limit + _MARGIN])
        return cut(masked[:-_MARGIN], limit)

    def json(self, value: Json) -> Json:
        """A JSON value with the secrets in its strings and keys masked.

        Strings and numbers under a key that names a secret become `***`.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {
                self.text(key): _hidden(item)
                if self.suspicious(key) and is_secret_name(key)
                else self.json(item)
                for key, item in value.items()
            }
        return value


def is_secret_name(key: str) -> bool:
    """Whether a key such as `apiKey` or `DB_PASSWORD` names a secret."""
    return _SECRET_KEY.search(_CAMEL.sub("_", key).lower()) is not None


def _hidden(value: Json) -> Json:
    if isinstance(value, (str, Number)):
        return MASK if str(value) else value
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    return value


def load_masks(path: Path = MASKS_CSV) -> Masks:
    """The rules of a seed with columns name, trigger, pattern, replacement.

    Raises:
        OSError: the seed cannot be read.
        re.error: a pattern is not a regular expression.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rules = [
            Rule(
                row["name"],
                tuple(row["trigger"].split("|")),
                re.compile(row["pattern"]),
                row["replacement"],
            )
            for row in csv.DictReader(file)
        ]
    return Masks(rules)
