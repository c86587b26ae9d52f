"""Names under which secrets stand: of JSON keys, columns and in running text."""

import functools
import re

_SUFFIX = r"(?:[_-]?(?:\d{1,2}|hash|plain|old|new|confirm(?:ation)?))?"
_PASSWORD = r"pass(?:word|wd|phrase|code)"
_KEY = (
    r"(?:api|access|secret|private|signing|encryption|auth|account|master|license)"
    r"[_-]?key"
)
# Parts of patterns for running text; what stands before them is free.
PASSWORD_NAME = rf"(?:{_PASSWORD}{_SUFFIX})"
KEY_NAME = rf"(?:(?:secret|token|{_KEY}(?:_?base)?){_SUFFIX})"
# Many tokens are counts of words.
PLURAL_NAME = rf"(?:(?:{_PASSWORD}|secret|{_KEY}|cookie|credential)s)"

# One of these is in each name that `is_secret_name` knows.
TRIGGERS = (
    "pass", "pwd", "secret", "token", "key", "authorization", "credential", "cookie",
    "jwt",
)  # fmt: skip

_SECRET_KEY = re.compile(
    r"(?:^|[_.\-\s])(?:pass|passwords?|passwd|passphrase|passcode|pwd|secrets?|token"
    r"|(?:api|access|secret|private|signing|encryption|account)[_\-]?keys?"
    r"|authorization|credentials?|(?:set[_\-])?cookies?|jwt)"
    rf"{_SUFFIX}$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@functools.lru_cache(maxsize=1_000)
def is_secret_name(key: str) -> bool:
    """Whether a key such as `apiKey` or `DB_PASSWORD` names a secret."""
    return _SECRET_KEY.search(_CAMEL.sub("_", key[-200:]).lower()) is not None
