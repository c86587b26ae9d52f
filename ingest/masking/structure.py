"""Secrets told by structure, which no regular expression can follow.

They stand under a name, as any value of JSON, in brackets, or on the lines of
a key that is printed over several.
"""

import json
import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring

from ingest.masking.secret_names import (
    KEY_NAME,
    PASSWORD_NAME,
    PLURAL_NAME,
    is_secret_name,
)
from ingest.text.clean import clean

MASK = "***"

# A string, be it cut off by the end; a bracket or mark; any other word.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL
)
_OPEN, _CLOSE = ("{", "["), ("}", "]")
_KEPT = ('""', "null", "true", "false")


def mask_json(text: str, mask: Callable[[str], str] = str) -> str:
    """JSON, or what was meant to be, with `mask` applied to its strings.

    What stands under a key that names a secret becomes `***` as a whole,
    whatever it is, each time the key comes. All else stays as written.
    """
    masked = "".join(_masked_tokens(text, mask))
    return text if masked == text else masked


def _masked_tokens(text: str, mask: Callable[[str], str]) -> Iterator[str]:
    done = 0  # behind what was yielded
    before = ""  # the string that may turn out to be a key
    is_secret = False
    depth, start = 0, 0  # of brackets that hide, and where they began
    for match in _TOKEN.finditer(text):
        token = match[0]
        if depth:
            depth += (token in _OPEN) - (token in _CLOSE)
            if not depth:
                is_empty = not text[start + 1 : match.start()].strip()
                yield text[start : match.end()] if is_empty else f'"{MASK}"'
                done = match.end()
            continue
        if token == ":":
            is_secret = bool(before) and is_secret_name(_said(before))
            continue
        before = token if token.startswith('"') else ""
        if is_secret and token in _OPEN:
            yield text[done : match.start()]
            depth, start = 1, match.start()
        elif token not in (*_OPEN, *_CLOSE, ","):
            masked = _masked(token, mask, is_secret)
            if masked != token:
                yield text[done : match.start()]
                yield masked
                done = match.end()
        is_secret = False
    # A document may be cut off inside of what is hidden.
    yield f'"{MASK}"' if depth else text[done:]


def _masked(token: str, mask: Callable[[str], str], is_secret: bool) -> str:
    is_string = token.startswith('"')
    if is_secret:
        return token if token in _KEPT else f'"{MASK}"'
    if not is_string:
        return token
    said = _said(token)
    masked = mask(said)
    if masked == said:
        return token
    written = encode_basestring(clean(masked))
    return written if _is_closed(token) else written[:-1]


def _said(string: str) -> str:
    """What a string of JSON says; one that is none says what is written."""
    if "\\" not in string:
        return string.strip('"')
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1] if _is_closed(string) else string[1:]


def _is_closed(string: str) -> bool:
    return len(string) > 1 and string.endswith('"')


# In running text: a name, and in brackets behind it what is to be hidden
_NESTED = re.compile(
    rf"(?i)(?:{PLURAL_NAME}|{PASSWORD_NAME}|{KEY_NAME}|cookie|credential)"
    r"(?P<q>\\*[\"'`])?\s{0,20}(?:=>|[:=])\s{0,20}(?=[\[{])"
)
_PIECE = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|[\[\]{}]|\n(?=[ \t]*\r?\n|#|- |---)")


def hide_nested(text: str) -> str:
    """Running text with brackets that follow the name of a secret hidden."""
    if "[" not in text and "{" not in text:
        return text
    parts = []
    done = 0
    for match in _NESTED.finditer(text):
        if match.start() < done:
            continue
        end = _end_of_brackets(text, match.end())
        if text[match.end() + 1 : end - 1].strip():
            quote = match["q"] or ""
            parts += [text[done : match.end()], f"{quote}{MASK}{quote}"]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def _end_of_brackets(text: str, start: int) -> int:
    """Behind the bracket that closes one, else the end of its paragraph."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        if piece[0] == "\n":
            return piece.start()
        depth += (piece[0] in _OPEN) - (piece[0] in _CLOSE)
        if not depth:
            return piece.end()
    return len(text)


# Over several lines: a private key, which may be cut off or stand in a log, and
# a value on the line behind its name
KEY, VALUE = "key", "value"
_BEGIN = re.compile(
    r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
    r"|^[\s>|]{0,40}Private-Lines: *\d+\s*$"
)
_END = re.compile(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY|Private-MAC:")
_HEADER = re.compile(
    r"[\s>|]{0,40}[A-Z][A-Za-z-]{2,20}: .*|.*(?:Proc-Type|DEK-Info):.*"
)
_ONE_WORD = re.compile(
    r"([\s>|]{0,40}[\"'`]?)[^\s,{}:;\"'`<>|]{1,400}([\"'`]?,?\s*)", re.ASCII
)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=]{40,}")
_NAME_ALONE = re.compile(
    rf"(?i).*(?:{PASSWORD_NAME}|{KEY_NAME})[\"'`]?[ \t]*[:=][ \t]*(?:[|>][+-]?)?\s*"
)
_VALUE_ALONE = re.compile(
    r"([\s>|]{0,40}[\"'`]?)(?!#|- |\*|-{2,}|.*[:=]\s*$)[^\s\"'`]{1,400}([\"'`]?,?\s*)",
    re.ASCII,
)


def mask_line(line: str, within: str) -> tuple[str, str]:
    """(a line of several, masked; what the next one may hold).

    `within` is what the line before it said: KEY, VALUE or nothing.
    """
    if within == KEY:
        if _END.search(line):
            return line, ""
        if not line.strip(" \t\r>|") or _HEADER.fullmatch(line):
            return line, KEY
        if word := _ONE_WORD.fullmatch(line):
            return f"{word[1]}{MASK}{word[2]}", KEY
        masked = _LONG_RUN.sub(MASK, line)
        if masked != line:
            return masked, KEY
    elif within == VALUE and (word := _VALUE_ALONE.fullmatch(line)):
        return f"{word[1]}{MASK}{word[2]}", ""
    begins = [match.end() for match in _BEGIN.finditer(line)]
    if begins and not _END.search(line, begins[-1]):
        return line, KEY
    return line, VALUE if _NAME_ALONE.fullmatch(line) else ""


def may_go_on(line: bytes) -> bool:
    """Whether `mask_line` might say something of the line behind one."""
    return line.rstrip()[-1:] in (b":", b"=", b"|", b">", b"+", b"-") or (
        b"PRIVATE KEY" in line or b"Private-Lines" in line
    )


def hide_open_keys(text: str) -> str:
    """A text of several lines without those of a key that is not ended."""
    if "PRIVATE KEY" not in text and "Private-Lines" not in text:
        return text
    kept = []
    within = ""
    for line in text.split("\n"):
        masked, after = mask_line(line, within if within == KEY else "")
        if within != KEY or masked.strip() != MASK:
            kept.append(masked)
        elif not kept[-1].endswith(MASK):
            # Not on a line of its own, where it would be a rule of Markdown.
            kept[-1] += MASK
        within = after
    return "\n".join(kept)
