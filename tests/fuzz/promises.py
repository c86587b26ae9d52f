"""The promises, held against inputs and outputs only.

`Promises.check` is asked after every command. It remembers every content that
was ever readable below the root, in `possible`; what a command that ended well
has had before it from start to end, it owes; and what was owed when a command
published has to show in the published files from then on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from tests.fuzz.legacy import legacy_in
from tests.fuzz.marts import untrue_marts
from tests.fuzz.owed import Known, Owed
from tests.fuzz.readings import BUNDLE, Claim, Reading, marks, name_time, readings_in
from tests.fuzz.shown import COLLAPSING, REJECTS, Row, Shown, base_name, show
from tests.fuzz.steps import (
    INPUTS,
    LOST,
    SAID,
    SECRET,
    STABLE,
    WHOLE,
    Broken,
    Step,
    changed_inputs,
    ends_as_it_says,
    leftovers,
    rewritten,
    told_secrets,
    written,
)

YOUNG = timedelta(hours=48)
AHEAD = timedelta(days=1)


class Promises:
    """What one root owes, from its first step to its last."""

    def __init__(self) -> None:
        self.possible = Owed()
        self.landed = Owed()
        self.published = Owed()
        self.published_at = datetime.min
        self.read_bundles: set[str] = set()
        self.excused: list[str] = []
        self.is_doubtful = False

    def check(self, step: Step) -> None:
        """Raise Broken unless every promise is kept after this step."""
        _hold(SAID, ends_as_it_says(step))
        _hold(INPUTS, changed_inputs(step))
        if not step.writes:
            _hold(STABLE, written(step, step.before, step.after))
        if step.is_damaged:
            return
        shown = show(step.after)
        _hold(SECRET, told_secrets(step, shown.texts))
        if step.is_rerun:
            _hold(STABLE, rewritten(step))
        self._learn(step)
        _hold(WHOLE, shown.problems)
        _hold(WHOLE, self._never_readable(shown))
        if step.publishes and step.is_done:
            _hold(WHOLE, self._unbalanced(shown))
            _hold(WHOLE, self._unread_hashes(shown))
            _hold(WHOLE, untrue_marts(shown, step.now))
            _hold(WHOLE, leftovers(step.after))
        _hold(LOST, self._lost(shown))

    def may_show(self, readings: Iterable[Reading], now: datetime) -> None:
        """Contents of a bundle that is damaged: not owed.

        What it says under a name that nothing else holds may be published as it
        is, for want of anything better.
        """
        self.is_doubtful = True
        for reading in readings:
            self.possible.add(reading, now)

    def keep_only(self, kept: Iterable[Owed]) -> None:
        """Somebody took away what all else was known from."""
        listed = list(kept)
        self.landed.forget_but(listed)
        self.published.forget_but(listed)

    # What is owed

    def _learn(self, step: Step) -> None:
        before = [*readings_in(step.before), *legacy_in(step.before)]
        after = [*readings_in(step.after), *legacy_in(step.after)]
        for _, reading in before + after:
            self.possible.add(reading, step.now)
        if not (step.is_done and step.lands):
            if step.is_done and step.publishes:
                self._publish(step)
            return
        still = {(path, reading.key, reading.modified) for path, reading in after}
        for path, reading in before:
            is_still = (path, reading.key, reading.modified) in still
            if is_still and self._is_looked_at(path, reading, step):
                self.landed.add(reading, step.now)
        self.read_bundles |= {path for path, _ in before if _is_bundle(path)}
        if step.publishes:
            self._publish(step)

    def _publish(self, step: Step) -> None:
        self.published = self.landed.copy()
        self.published_at = step.now
        # Of a file that is kept because the landing holds less, nothing new is owed.
        if step.speaks_json:
            warnings = step.report.get("warnings", ())
            self.excused = [text for text in warnings if ": kept, because" in text]

    def _is_looked_at(self, path: str, reading: Reading, step: Step) -> bool:
        """Names of old heartbeats and old bundles are not looked at twice."""
        if step.historical:
            return True
        horizon = step.now - YOUNG
        if _is_bundle(path):
            name = path.rpartition("/")[2]
            return (
                path not in self.read_bundles
                or name > f"reports_{horizon:%Y%m%d_%H%M%S}"
            )
        if reading.kind != "heartbeats":
            return True
        is_known = any(name == reading.name for name, _ in self.landed.contents)
        written = name_time(reading.name)
        return not is_known or (written is not None and written >= horizon)

    # Whether it shows

    def _lost(self, shown: Shown) -> Iterator[str]:
        aliases = self._aliases()
        for owed in self.published.groups():
            reading = owed[0].reading
            if reading.group is None:
                missing = list(self._missing(owed[0], shown, aliases))
                if missing and not self._was_begun(reading):
                    yield from missing
                continue
            if reading.group.endswith(".twin") and self._has_csv(reading):
                continue
            tried = [
                list(self._missing(one, shown, aliases)) for one in self._counting(owed)
            ]
            if tried and all(tried):
                yield from min(tried, key=len)
            elif reading.kind == "heartbeats":
                yield from self._unrejected(owed, shown)

    def _aliases(self) -> dict[str, frozenset[str]]:
        """The hash that a query's row shows instead of the mark in its text."""
        found: dict[str, set[str]] = defaultdict(set)
        for reading in self.possible.readings():
            if reading.kind == "query_log":
                for claim in reading.claims:
                    for token in marks(" ".join(claim.tokens)):
                        found[token] |= claim.tokens
        return {token: frozenset(known) for token, known in found.items()}

    def _missing(
        self, known: Known, shown: Shown, aliases: dict[str, frozenset[str]]
    ) -> Iterator[str]:
        for claim, times in Counter(known.reading.claims).items():
            wanted = 1 if claim.collapses else times
            if self._shows(claim, wanted, shown, aliases, known.nights):
                continue
            if not any(_speaks_of(text, claim) for text in self.excused):
                yield (
                    f"{claim.file}: {sorted(claim.tokens)} not in "
                    f"{claim.dataset or 'any dataset'}, {wanted} times: "
                    f"{ {name: str(value) for name, value in claim.values} }"
                )

    def _shows(
        self,
        claim: Claim,
        wanted: int,
        shown: Shown,
        aliases: dict[str, frozenset[str]],
        nights: set[date],
    ) -> bool:
        ahead = self.published_at + AHEAD
        is_believable = claim.at is None or (
            claim.at <= ahead and claim.at.year >= 2000
        )
        if claim.dataset and is_believable:
            return len(shown.matching(claim)) >= wanted
        tokens = claim.tokens.union(
            *(aliases.get(t, frozenset()) for t in claim.tokens)
        )
        days = {row["date_partition"] for row in shown.holding(tokens)}
        if claim.is_nightly and nights:
            return all(any(abs((d - n).days) <= 1 for d in days) for n in nights)
        return bool(days) or any(token in shown.reject_files for token in tokens)

    def _counting(self, owed: list[Known]) -> Iterator[Known]:
        """Of contents that replace each other those that may be the one."""
        newest = max(owed, key=lambda known: max(known.times))
        for one in self.possible.contents.values():
            reading = one.reading
            if reading.group != newest.reading.group:
                continue
            is_older = any(
                max(one.times) < min(other.times)
                and other.reading.key != reading.key
                and not _begins(other.reading, reading)
                for other in owed
            )
            is_begun = any(_begins(reading, other.reading) for other in owed)
            holds_more = (
                reading.kind != "heartbeats"
                and reading.records > newest.reading.records
            )
            if holds_more or not (is_older or is_begun):
                yield one

    def _unrejected(self, owed: list[Known], shown: Shown) -> Iterator[str]:
        """Another content of a heartbeat is a reject, if it is no beginning."""
        readings = [known.reading for known in owed]
        whole = [
            reading
            for reading in readings
            if not any(_begins(reading, other) for other in readings)
        ]
        name = readings[0].name
        found = shown.reject_files[name] + len(shown.by_token["ops_atomic", name])
        if found < len(whole):
            yield f"{name}: {len(whole)} contents, {found} published or rejected"

    def _was_begun(self, reading: Reading) -> bool:
        return any(
            other.name == reading.name and _begins(reading, other)
            for other in self.possible.readings()
        )

    def _has_csv(self, twin: Reading) -> bool:
        name = twin.name.replace(".json", ".csv")
        return any(known == name for known, _ in self.possible.contents)

    # Whether more shows

    def _never_readable(self, shown: Shown) -> Iterator[str]:
        """Rows that no input has ever said."""
        allowed: Counter[Claim] = Counter()
        is_loose: set[str] = set()
        known: set[str] = set()
        for reading in self.possible.readings():
            known |= marks(reading.text)
            for claim, times in Counter(reading.claims).items():
                known |= claim.tokens
                if claim.dataset is None:
                    is_loose |= claim.tokens
                allowed[claim] = max(allowed[claim], times)
        by_rows: dict[int, str] = {}
        for claim, times in allowed.items():
            if claim.dataset is None:
                continue
            rows = shown.matching(claim)
            # Another content of the name may say it as often as it likes.
            times += len(rows) if claim.tokens & is_loose else 0
            by_rows.update((id(row), "") for row in rows)
            if len(rows) > times and claim.dataset not in COLLAPSING | {
                "index_advisor"
            }:
                yield f"{len(rows)} times and not {times}: {dict(claim.values)}"
        # Where a bundle is damaged, of names that nothing else holds it is unknown.
        surely = {name for name, _ in self.landed.contents} if self.is_doubtful else ()
        for (dataset, token), found in shown.by_token.items():
            rows = [row for row in found if not surely or _name(row) in surely]
            if not rows:
                continue
            if token not in known and dataset != REJECTS:
                if marks(token) or dataset == "ops_atomic":
                    yield f"{dataset} has {token}, which no input holds"
            elif dataset in ("ops_atomic", "query_perf") and token not in is_loose:
                for row in rows:
                    if id(row) not in by_rows:
                        yield f"{dataset}: no input says {row}"

    def _unbalanced(self, shown: Shown) -> Iterator[str]:
        """Where a footer claims more landed records than rows and rejects show."""
        rejects: Counter[tuple[str, Any]] = Counter()
        for row in shown.rows[REJECTS]:
            rejects[row["dataset"], row["date_partition"]] += 1
        found = Counter(
            (dataset, row["date_partition"])
            for dataset, rows in shown.rows.items()
            for row in rows
        )
        for (dataset, day), claimed in shown.footers.items():
            if dataset not in {
                "advisor_reports",
                "ops_atomic",
                "heartbeat_checks",
                "query_perf",
                "report_checks",
                *COLLAPSING,
            }:
                continue
            if any(f"{day:%Y%m%d}" in text for text in self.excused):
                continue
            rows = found[dataset, day] + rejects[dataset, day]
            if rows > claimed or (rows < claimed and dataset not in COLLAPSING):
                yield f"{dataset} of {day}: {claimed} landed, {rows} to be seen"

    def _unread_hashes(self, shown: Shown) -> Iterator[str]:
        """Logged queries whose text of the day is not told."""
        told = {
            (row["query_hash"], row["date_partition"])
            for row in shown.rows["query_texts"]
        }
        for row in shown.rows["query_perf"]:
            is_logged = row["source_file"].endswith(".jsonl")
            key = row["query_hash"], row["date_partition"]
            if is_logged and key not in told:
                yield f"query_texts: no text of {key[0]} on {key[1]}"


def _hold(promise: str, details: Iterable[str]) -> None:
    found = list(details)
    if found:
        raise Broken(promise, found)


def _is_bundle(path: str) -> bool:
    return BUNDLE.fullmatch(path.rpartition("/")[2]) is not None


def _begins(short: Reading, long: Reading) -> bool:
    """Whether a content is the beginning of another, nothing included."""
    # What a disk never wrote is zeros.
    begun = short.text.rstrip("\0\ufffd \t\r\n")
    return len(begun) < len(long.text.rstrip()) and long.text.startswith(begun)


def _name(row: Row) -> str:
    """The input that a row is of, where it says so."""
    return base_name(str(row.get("filename", row.get("source_file"))))


def _speaks_of(text: str, claim: Claim) -> bool:
    """Whether a warning names the day of a claim; one that has none may be of any."""
    day = dict(claim.values).get("date_partition") or claim.at
    return day is None or f"{day:%Y%m%d}" in text
