"""dbt, imported in half the time, and without what it would do anew in each process.

What it and its libraries generate is taken as it was made before (dbt_generated.py).
Its classes learn to read and write themselves when that is asked of them: they are
mashumaro's, which for each of hundreds puts together code to write and to read it while
it is imported, four functions a class. Most are never called. Even its own
`lazy_compilation` puts together as many that stand in for them.
"""

from __future__ import annotations

import functools
from typing import Any

from exporter.publish import dbt_generated
from exporter.publish.dbt_ctes import put_ctes_in_front
from exporter.publish.dbt_generated import versions

# Inner parts of these are taken hold of: of this version, and of no other.
MASHUMARO = "3.14"
DBT = "1.11.16"
DBT_COMMON = "1.39.0"


@functools.cache
def import_dbt() -> None:
    """Import dbt, which takes longer than a run with nothing new, and only once."""
    dbt_generated.before_import()
    if versions()["mashumaro"] == MASHUMARO:
        _put_off()
    import dbt.cli.main  # noqa: F401

    if versions()["dbt-common"] == DBT_COMMON:
        dbt_generated.after_import()
    if versions()["dbt-core"] == DBT:
        put_ctes_in_front()


def _put_off() -> None:
    """Let mashumaro put together what writes and reads a class when that is first
    called."""
    from mashumaro.core.meta.code.builder import CodeBuilder
    from mashumaro.mixins import dict as mixin

    def writes_later(
        cls: type,
        format_name: str = "dict",
        dialect: Any = None,
        encoder: Any = None,
        encoder_kwargs: Any = None,
    ) -> None:
        name = CodeBuilder.get_pack_method_name((), format_name, encoder)

        def write(self: Any, *arguments: Any, **named: Any) -> Any:
            CodeBuilder(
                type(self), first_method=name, allow_postponed_evaluation=False,
                format_name=format_name, encoder=encoder,
                encoder_kwargs=encoder_kwargs, default_dialect=dialect,
            ).add_pack_method()  # fmt: skip
            return getattr(self, name)(*arguments, **named)

        _set(cls, name, write)

    def reads_later(
        cls: type, format_name: str = "dict", dialect: Any = None, decoder: Any = None
    ) -> None:
        name = CodeBuilder.get_unpack_method_name((), format_name, decoder)

        def read(its: type, *arguments: Any, **named: Any) -> Any:
            CodeBuilder(
                its, first_method=name, allow_postponed_evaluation=False,
                format_name=format_name, decoder=decoder, default_dialect=dialect,
            ).add_unpack_method()  # fmt: skip
            return getattr(its, name)(*arguments, **named)

        _set(cls, name, classmethod(read))

    # These it calls for each class that is imported from now on.
    mixin.compile_mixin_packer = writes_later  # type: ignore[attr-defined]
    mixin.compile_mixin_unpacker = reads_later  # type: ignore[attr-defined]


def _set(cls: type, name: Any, method: Any) -> None:
    """Under mashumaro's own name, and under that by which it is called."""
    setattr(cls, name, method)
    setattr(cls, name.public, method)
