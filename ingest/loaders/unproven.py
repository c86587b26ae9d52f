"""What came out of damaged bundles: it counts until something proven has its name.

A bundle whose checksum fails may say anything. So what can be read of it lands
only where nothing is landed for the name of an input, marked `unproven`, and
makes way for the first proven reading of that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ingest.inputs import InputFile
from ingest.loaders.context import Context
from ingest.registry import is_told_by_name
from ingest.store.ledger import Part, SeenInput
from ingest.store.part_files import Json
from ingest.store.reconcile import BUNDLES, content_of_records

# Of what the ledger remembers of a bundle: why it is broken, if it is.
PROBLEM = "problem"


class Unproven:
    """Knows which names have unproven records, of inputs that hold many.

    `seen` are the inputs as the ledger knows them: the position of a broken
    bundle lists what was taken from it, and says what is wrong. `problems` holds
    the latter by path.
    """

    def __init__(self, context: Context, seen: Mapping[str, SeenInput]) -> None:
        self.context = context
        self.taken: dict[str, list[list[str]]] = {
            path: [*known.position.get("unproven", [])]
            for path, known in seen.items()
            if known.source == BUNDLES and known.position and PROBLEM in known.position
        }
        self.problems = {
            path: str(known.position[PROBLEM])
            for path, known in seen.items()
            if known.source == BUNDLES and known.position and PROBLEM in known.position
        }
        self.seen = seen

    def position(self, bundle: str) -> dict[str, object]:
        """What the ledger is to remember of a broken bundle."""
        return {
            "is_whole": False,
            "unproven": self.taken.get(bundle, []),
            PROBLEM: self.problems[bundle],
        }

    def may_land(self, input_file: InputFile, bundle: str) -> bool:
        """Whether nothing proven is landed for an unproven input's name."""
        if is_told_by_name(input_file.kind):
            return True
        kind, name = input_file.kind, self._name(input_file)
        if any(not is_unproven(record) for record in self._records(kind, name)):
            self._evict(kind, name)
            return False
        taken = self.taken.setdefault(bundle, [])
        if [kind, name] not in taken:
            taken.append([kind, name])
        return True

    def make_way(self, input_file: InputFile) -> None:
        """Drop what is unproven under the name of a proven input."""
        key = [input_file.kind, self._name(input_file)]
        for path, taken in self.taken.items():
            if key in taken:
                self._evict(*key)
                taken.remove(key)
                known = self.seen[path]
                position = {**(known.position or {}), **self.position(path)}
                known = replace(known, position=position)
                self.context.ledger.put_input(path, known)

    def _evict(self, kind: str, name: str) -> None:
        landing, report = self.context.landing, self.context.report
        for part in self._parts(kind):
            before = landing.records(kind, part.day, part.part)
            after = [
                record
                for record in before
                if not _is_of(record, name) or not is_unproven(record)
            ]
            gone = len(before) - len(after)
            if gone:
                content = content_of_records(kind, after)
                content = replace(content, dropped=part.dropped + gone)
                landing.write_records(kind, part.day, part.part, after, content)
                report.records -= gone
                report.days.add(part.day)

    def _records(self, kind: str, name: str) -> Iterator[Json]:
        for part in self._parts(kind):
            for record in self.context.landing.records(kind, part.day, part.part):
                if _is_of(record, name):
                    yield record

    def _parts(self, kind: str) -> list[Part]:
        return list(self.context.ledger.parts(kind))

    def _name(self, input_file: InputFile) -> str:
        return self.context.masks.text(input_file.name)


def _is_of(record: Json, name: str) -> bool:
    """Whether a record came from an input of a name, in whichever folder."""
    source_file: str = record["source_file"]
    return source_file.rpartition("/")[2] == name


def is_unproven(record: Json) -> bool:
    """Whether a landed record came out of a damaged bundle."""
    return bool(record.get("unproven"))
