"""Inputs in other encodings and shapes than they should have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from tests.fuzz.actions import File
from tests.fuzz.parsers import ROWS
from tests.fuzz.world import DAYS, World

FIRST = date(2025, 1, 1)


def attack(world: World) -> Iterator[str]:
    """Some odd inputs of every kind at a time, published after every few."""
    while True:
        for _ in range(3):
            said = [_plant(world) for _ in range(world.rng.randrange(6, 16))]
            world.ingest()
            yield f"ingest of {', '.join(said)}"
        world.export()
        world.validate()
        yield "export"


def _plant(world: World) -> str:
    """One input, written again in another encoding or shape, or both."""
    # A file of a day that has none yet, so that none takes another's place.
    day = FIRST + timedelta(days=world.rng.randrange(290))
    machine = world.machine
    kind = world.rng.randrange(11)
    file = (
        machine.query_csv(day, 5, is_wide=world.rng.random() < 0.3),
        machine.pattern_csv(day, 3, weekly=world.rng.random() < 0.3),
        machine.twin(day, 3),
        machine.heartbeat(machine.moment(world.rng.choice(DAYS))),
        machine.summary(machine.moment(day)),
        machine.log_lines(day, 3),
        machine.telemetry_lines(day, 3),
        machine.json_heartbeat(machine.moment(world.rng.choice(DAYS))),
        machine.health(day),
        machine.mcp_health(machine.moment(day)),
        machine.daily_run(machine.moment(day)),
    )[kind]
    shape = world.rng.choice(list(_shapes(file)))
    encoding = world.rng.choice(list(ENCODINGS))
    data = _shapes(file)[shape](world, file.data.decode()).encode()
    if file.name.endswith(("jsonl", "ndjson")):
        # Lines among others: an encoding of their own they cannot have.
        world.append(file._replace(data=data))
        return f"{shape} {file.name}"
    if kind == 4:
        path = f"g/reports/optimization_summary_{day:%Y%m%d}.txt"
        file = file._replace(path=path)
    if (world.root / file.path).exists():
        return "nothing"
    world.put(file._replace(data=ENCODINGS[encoding](data)))
    return f"{shape} {encoding} {file.name}"


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "utf-8": bytes,
    "marked": lambda data: b"\xef\xbb\xbf" + data,
    "utf-16-le": lambda data: b"\xff\xfe" + data.decode().encode("utf-16-le"),
    "utf-16-be": lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
    "unmarked utf-16": lambda data: data.decode().encode("utf-16-le"),
    "latin-1": lambda data: data.replace(b"docs", "dïcs".encode("latin-1")),
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "mixed ends": lambda data: data.replace(b"\n", b"\r\n", 2),
    "with nul": lambda data: data.replace(b"e", b"e\0", 3),
    "without last end": lambda data: data.rstrip(b"\n"),
    "blank lines": lambda data: b"\n \n" + data.replace(b"\n", b"\n\n"),
}

Shape = Callable[[World, str], str]


def _shapes(file: File) -> dict[str, Shape]:
    if file.name.endswith(".csv"):
        return COMMON | (CSV_ROWS if ROWS[0] in file.data.decode() else CSV)
    return COMMON | (JSON if "json" in file.name else {})


def _same(_world: World, text: str) -> str:
    return text


def _separators(_world: World, text: str) -> str:
    return text.replace("docs", "do\u2028cs").replace("queue", "qu\x0be\x85ue")


def _signs(_world: World, text: str) -> str:
    return text.replace("docs", "d\u200bo\u202ec❌s\U0001f600").replace("queue", "คิว")


def _spaces(_world: World, text: str) -> str:
    return re.sub("\n", " \t\n", text)


COMMON: dict[str, Shape] = {
    "same": _same, "separators": _separators, "signs": _signs, "spaces": _spaces,
}  # fmt: skip


def _with_separator(separator: str) -> Shape:
    def separated(_world: World, text: str) -> str:
        # Not in patterns, which hold commas of their own.
        return text if '"' in text else text.replace(",", separator)

    return separated


def _comment(_world: World, text: str) -> str:
    return "# made by the nightly job\n# version 2\n" + text


def _quoted(_world: World, text: str) -> str:
    if '"' in text:
        return text
    lines = text.splitlines()
    return "".join('"' + line.replace(",", '","') + '"\n' for line in lines)


def _odd_quote(world: World, text: str) -> str:
    lines = text.splitlines(keepends=True)
    at = world.rng.randrange(1, len(lines))
    cells = lines[at].split(",")
    place = world.rng.randrange(1, len(cells))
    cells[place] = '"' + cells[place]
    return "".join([*lines[:at], ",".join(cells), *lines[at + 1 :]])


def _header_again(_world: World, text: str) -> str:
    header, _, rest = text.partition("\n")
    return f"{header}\n{rest}{header}\n"


def _shouted_header(_world: World, text: str) -> str:
    header, _, rest = text.partition("\n")
    return f"{header.upper().replace(',', ' , ')}\n{rest}"


def _no_header(_world: World, text: str) -> str:
    return text.partition("\n")[2]


def _ragged(world: World, text: str) -> str:
    lines = text.splitlines()
    at = world.rng.randrange(1, len(lines))
    lines[at] += world.rng.choice([",", ",,,more", ",\u00a0"])
    return "\n".join(lines)


def _renamed(world: World, text: str) -> str:
    name = world.rng.choice(["timestamp", "query_hash", "execution_time_ms"])
    return text.replace(name, f"the_{name}", 1)


def _permuted(world: World, text: str) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    order = list(range(len(rows[0])))
    world.rng.shuffle(order)
    return "".join(",".join(row[at] for at in order) + "\n" for row in rows)


def _more_columns(_world: World, text: str) -> str:
    header, *lines = text.splitlines()
    more = [f"{line},x" for line in lines]
    return "\n".join([f"{header},host", *more]) + "\n"


def _odd_cells(world: World, text: str) -> str:
    odd = [
        "", " ", "NaN", "inf", "1e400", "1_000", "0x10", "９", "true", "-0", "=1+1",
        "9007199254740993", "99999999999999999999", "1e-400", "2024-02-30", "x" * 3_000,
    ]  # fmt: skip
    lines = [line.split(",") for line in text.splitlines()]
    for cells in lines[1:]:
        place = world.rng.choice([0, *range(2, len(cells))])
        cells[place] = world.rng.choice(odd)
    return "".join(",".join(cells) + "\n" for cells in lines)


CSV: dict[str, Shape] = {
    "with semicolons": _with_separator(";"), "with tabs": _with_separator("\t"),
    "commented": _comment, "quoted": _quoted, "odd quote in": _odd_quote,
    "header twice in": _header_again, "shouted": _shouted_header,
    "headless": _no_header, "ragged": _ragged,
}  # fmt: skip
CSV_ROWS = CSV | {
    "renamed": _renamed, "permuted": _permuted, "wider": _more_columns,
    "odd cells in": _odd_cells,
}  # fmt: skip


def _pretty(_world: World, text: str) -> str:
    return "\n".join(json.dumps(_value(line), indent=1) for line in _documents(text))


def _repeated_keys(_world: World, text: str) -> str:
    return re.sub(r"\{", '{"ts": null, ', text, count=2)


def _secretive(world: World, text: str) -> str:
    """Secrets in the first object, under keys that come twice."""
    first, second = world.machine.token(), world.machine.token()
    return text.replace("{", f'{{"password": ["{first}"], "password": "{second}", ', 1)


def _escaped(_world: World, text: str) -> str:
    return text.replace("select", "\\u0073elect").replace("docs", "do\\/cs")


def _not_numbers(world: World, text: str) -> str:
    odd = world.rng.choice(["NaN", "1e999", '"4"', "true", "[]", "9007199254740993"])
    return re.sub(r'("duration_ms"|"value"|"p50"): [\d.]+', rf"\1: {odd}", text)


def _lone_surrogate(_world: World, text: str) -> str:
    return text.replace("docs", "\\ud800docs")


def _deep(_world: World, text: str) -> str:
    return text.rstrip() + "\n" + "[" * 5_000 + "\n"


def _documents(text: str) -> list[str]:
    try:
        json.loads(text)
    except ValueError:
        return text.splitlines()
    return [text]


def _value(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return line


JSON: dict[str, Shape] = {
    "spread": _pretty, "repeated keys in": _repeated_keys, "escaped": _escaped,
    "no numbers in": _not_numbers, "lone surrogates in": _lone_surrogate,
    "deep": _deep, "secrets in": _secretive,
}  # fmt: skip
