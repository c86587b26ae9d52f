"""The check of the operator's own settings: which there are, and whether they hold."""

from __future__ import annotations

from exporter.contracts.settings import OTHERS, Problem, read_settings
from exporter.runtime.errors import describe
from exporter.verify.checks import COMPONENT, NOT_HERE, Check, passed
from ingest import advice
from ingest.parsers import masks_of
from ingest.root import Root


def check_settings(root: Root) -> Check:
    """The files among the settings, and what is wrong with any of them."""
    name, target = "Own settings", "each line as it should be"
    settings = read_settings(root)
    (masks,) = OTHERS
    own = root.relative(root.settings / masks)
    try:
        problems = [Problem(own, said) for said in masks_of(root).problems]
    except OSError as error:
        problems = [Problem(own, describe(error))]
    problems += settings.problems
    if problems:
        more = f" (and {len(problems) - 1:,} more)" if problems[1:] else ""
        mend = f"cat -n {advice.path(root.path / problems[0].file)}"
        return Check(
            COMPONENT, name, target, f"{problems[0]}{more}", passed(False), mend
        )
    files = [*settings.files, *([own] if (root.path / own).exists() else [])]
    if not files:
        return Check(COMPONENT, name, target, "none", NOT_HERE)
    return Check(COMPONENT, name, target, ", ".join(files), passed(True))
