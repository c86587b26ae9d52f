"""No room knows those above it: imports run down one declared order, never up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from ingest.root import PROJECT

# From the top. A room is a package, or a module that stands beside them. What
# stands on one line has no order among itself: neither knows the other.
EXPORTER = """
    __main__ set_up
    cli
    jobs optimize
    verify status
    export
    notify
    dashboard metrics
    reporting
    answers
    catalogue
    fleet
    publish
    contracts
    agents
    runtime sample
    __init__
"""
INGEST = """
    run
    one_pass
    reading
    loaders
    bundles parsers
    inputs listing store
    names
    registry
    sources
    masking
    text
    advice files
    root
    __init__
"""
LAYERS = [
    *([f"exporter.{room}" for room in line.split()] for line in EXPORTER.split("\n")),
    *([f"ingest.{room}" for room in line.split()] for line in INGEST.split("\n")),
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def rooms() -> set[str]:
    found = set()
    for package in ("exporter", "ingest"):
        for path in (PROJECT / package).iterdir():
            if path.suffix == ".py" or (path / "__init__.py").exists():
                found.add(f"{package}.{path.stem}")
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """The rooms that some code imports from, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import hides where it leads"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, room, *_ = [*name.split("."), "__init__"]
            if package in ("exporter", "ingest"):
                room = f"{package}.{room}"
                yield room if room in rooms() else f"{package}.__init__"


def arrows() -> Iterator[tuple[str, str, str]]:
    """(file, room, room that it imports from)."""
    for room in sorted(rooms()):
        base = PROJECT / room.replace(".", "/")
        for path in [base.with_suffix(".py"), *sorted(base.rglob("*.py"))]:
            if path.exists():
                tree = ast.parse(path.read_text(encoding="utf-8"))
                for other in imported(tree):
                    yield path.relative_to(PROJECT).as_posix(), room, other


def test_every_room_has_its_place_in_the_order() -> None:
    assert LEVEL.keys() == rooms()


def test_the_monitor_and_the_others_know_nothing_of_each_other() -> None:
    """But for the command that starts it, and only once it is asked for."""
    ours = {"monitor", "ingest", "exporter", "dbt", "duckdb"}
    wrong = []
    for package in ("monitor", "exporter", "ingest"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            foreign = packages(tree) & ours - {package}
            if package == "monitor":
                wrong += [f"{path} imports {name}" for name in foreign]
            elif "monitor" in foreign and path.parent != PROJECT / "exporter/cli":
                wrong.append(f"{path} imports monitor")
            elif any(
                "monitor" in packages(node) for node in tree.body[1:] if is_import(node)
            ):
                wrong.append(f"{path} imports monitor before it is asked for")
    assert not wrong


def is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def packages(tree: ast.AST) -> set[str]:
    """The top packages that some code imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


def test_no_import_runs_back_up() -> None:
    wrong = {
        f"{path} imports {other}"
        for path, room, other in arrows()
        if room != other and LEVEL[other] <= LEVEL[room]
    }
    assert not wrong


@pytest.mark.parametrize(
    ("code", "room"),
    [
        ("import exporter.cli.main", "exporter.cli"),
        ("from exporter.cli import main", "exporter.cli"),
        ("from ingest import files", "ingest.files"),
        ("from exporter import __version__", "exporter.__init__"),
        ("def f():\n    if x:\n        from ingest.run import land", "ingest.run"),
        ("if TYPE_CHECKING:\n    import ingest.run as run", "ingest.run"),
    ],
)
def test_an_import_is_found_wherever_it_stands(code: str, room: str) -> None:
    assert list(imported(ast.parse(code))) == [room]
