"""What dbt makes of macros, models and its own classes, kept from run to run."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from exporter.runtime.environment import KEPT
from exporter.runtime.generated import GENERATED, Generated, take_dataclasses

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# What dbt consists of, as far as anything is kept of it.
PACKAGES = (
    "dbt-core", "dbt-common", "dbt-adapters", "dbt-duckdb", "jinja2", "mashumaro"
)  # fmt: skip
PLACE = KEPT / "generated_for_dbt.marshal"
SCHEMAS = "json_schema"
# Those of the project change with it, and are kept with the manifest.
TEMPLATES = Generated()

# How dbt begins the name of a macro that makes a model, which no node depends on.
MATERIALIZATION = "materialization_"


@functools.cache
def versions() -> dict[str, str]:
    """The version of each of the packages."""
    return {name: version(name) for name in PACKAGES}


def before_import() -> None:
    """What is done before dbt is imported: its dataclasses are taken from what is
    kept."""
    GENERATED.read(PLACE, versions().values())
    take_dataclasses()


def after_import() -> None:
    """What is done once dbt is imported: so are its templates and schemas."""
    _take_templates()
    _take_schemas()


def keep_generated() -> None:
    """Keep what this process made of dbt's classes: a set-up, which uses most."""
    GENERATED.keep(PLACE, versions().values())


def forget_asked() -> None:
    """Let this process ask again for the templates that it needs from here on."""
    from dbt.clients import jinja
    from dbt_common.clients.jinja import template_cache

    TEMPLATES.asked.clear()
    # What dbt has once rendered it asks for no more.
    jinja._render_cache.clear()
    template_cache.clear()


def pack_templates(manifest: Manifest) -> bytes:
    """All templates that a run may ask for, compiled."""
    from dbt_common.clients.jinja import get_environment
    from jinja2 import TemplateError

    environment = get_environment()
    for text in (*_nodes(manifest), *_macros(manifest)):
        with contextlib.suppress(TemplateError):  # a build tells it, and of which
            environment.compile(text)
    return TEMPLATES.pack()


def _take_templates() -> None:
    """Let templates be compiled only where they are not kept."""
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from jinja2 import Environment

    def compile_it(self: Environment, source: Any, *how: Any, **named: Any) -> Any:
        def make() -> Any:
            return Environment.compile(self, source, *how, **named)

        if not isinstance(source, str) or how or named:
            return make()
        # What its two environments differ in, they have as classes.
        return TEMPLATES.take(type(self).__name__, source, make)

    MacroFuzzEnvironment.compile = compile_it  # type: ignore[method-assign]


def _take_schemas() -> None:
    """Let the schemas by which dbt checks settings be made only where they are not
    kept."""
    from dbt_common import dataclass_schema

    mixin: Any = dataclass_schema.dbtClassMixin
    make = mixin.__dict__["json_schema"]

    def json_schema(cls: type) -> Any:
        name = f"{cls.__module__}.{cls.__qualname__}"
        return GENERATED.take(SCHEMAS, name, lambda: make.__get__(None, cls)())

    mixin.json_schema = classmethod(json_schema)


def _nodes(manifest: Manifest) -> Iterator[str]:
    """Models, tests and hooks, but for those whose SQL is kept."""
    for node in manifest.nodes.values():
        if node.language == "sql" and not getattr(node, "compiled", False):
            yield node.raw_code


def _macros(manifest: Manifest) -> Iterator[str]:
    """The macros that nodes call or that make them, and all that these call."""
    nodes = manifest.nodes.values()
    calls = [name for node in nodes for name in node.depends_on.macros]
    makes = {f"{MATERIALIZATION}{node.config.materialized}_" for node in nodes}
    calls += [
        name for name, macro in manifest.macros.items()
        if macro.name.startswith(tuple(makes))
    ]  # fmt: skip
    found: set[str] = set()
    while calls:
        name = calls.pop()
        if name not in found and (macro := manifest.macros.get(name)):
            found.add(name)
            calls += macro.depends_on.macros
            yield macro.macro_sql
