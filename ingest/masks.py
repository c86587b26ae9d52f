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

    def text(self, text: str) -> str:
        """`text` with secrets replaced; masking it again changes nothing.

        The very same object comes back when there is nothing to replace.
        """
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
        """Whether `text` holds any trigger word. False: nothing to mask."""
        lowered = text.lower()
        # any() would take twice as long, and this is asked of each record.
        for trigger in self._triggers:  # noqa: SIM110
            if trigger in lowered:
                return True
        return False

    def raw(self, text: str) -> str:
        """`text` masked and cut to RAW_LIMIT, cheaply however long it is."""
        if len(text) <= RAW_LIMIT + _MARGIN:
            return cut(self.text(text))
        masked = self.text(text[: RAW_LIMIT + _MARGIN])
        return cut(masked[:-_MARGIN])

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
