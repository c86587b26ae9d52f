"""The machine whose reports are read: its monitor, its nightly and hourly jobs.

Every record carries a mark of its own, and some a secret in a known form.
"""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta

from tests.fuzz import legacy
from tests.fuzz.actions import File
from tests.fuzz.parsers import PATTERNS, ROWS
from tests.fuzz.readings import CANARY

HOME = "/Users/ops/02luka/"
ARCHIVE = "g/reports/archive"
LOG = "g/reports/query_perf.jsonl"
TELEMETRY = "g/telemetry/rollup_daily.ndjson"
SUMMARY = "knowledge/optimize/optimization_summary.txt"
ADVISOR = ("knowledge/optimize", "g/reports")

# Each of them is masked, wherever a record has room for a text of one line.
SECRETS = (
    "password={}",
    "PASSWORD: {}",
    "--password={} --retry",
    "token={}&page=2",
    "api_key='{}'",
    "AWS_SECRET_ACCESS_KEY={}",
    "Authorization: Bearer {}",
    "redis://ops:{}@localhost:6379/0",
    "postgres://ops:{}@db/main",
    "redis-cli -a {} ping",
    "mysqldump -uops -p{} main",
    "curl -u ops:{} https://example.com",
    "https://hooks.slack.com/services/T000/B000/{}",
    "https://discord.com/api/webhooks/123/{}",
    "key ghp_{}",
    "ALTER USER ops PASSWORD '{}'",
    "CREATE USER ops IDENTIFIED BY '{}'",
    "config set requirepass {}",
)
# The same for texts of many lines.
SECRET_BLOCKS = (
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{}",
    "password:\n  {}",
)
MONITORED = (
    ("Redis", "Status", "Redis responding", "Redis not responding"),
    ("Database", "Status", "Database file exists", "Database is locked"),
    ("API Endpoints", "API Health", "Endpoint responding", "Endpoint slow"),
    ("LaunchAgents", "com.02luka.optimizer", "LaunchAgent loaded", "not loaded"),
    ("LaunchAgents", "com.02luka.digest", "LaunchAgent loaded", "not loaded"),
)

SETTINGS = (
    ("slo_targets", ("check_key,target", "overall,0.9", "redis,0.99")),
    ("maintenance_windows", ("check_key,started_at,ended_at,reason",
                             "*,2025-10-27T01:00:00Z,2025-10-27T03:00:00Z,disk")),
    ("expected_sources", ("source,allowed_age_hours", "heartbeats,2")),
    ("masks", ("name,trigger,pattern,replacement", "customer,acme-,ACME-[0-9]+,A")),
)  # fmt: skip


class Machine:
    """Makes inputs; the same chance makes the same ones."""

    def __init__(self, rng: random.Random, marks: int = 0) -> None:
        self.rng = rng
        self.marks = marks

    def mark(self) -> str:
        """A token that no other record has."""
        self.marks += 1
        return f"mk{self.marks:06x}"

    def secret(self) -> str:
        """A secret in one of the forms that are masked."""
        return self.rng.choice(SECRETS).format(self.token())

    def secret_block(self) -> str:
        """The same over several lines."""
        return self.rng.choice(SECRET_BLOCKS).format(self.token(), self.token())

    def token(self) -> str:
        """What must never be written."""
        return f"{CANARY}{self.rng.randrange(1 << 64):016x}"

    def text(self) -> str:
        """A mark, now and then with a secret behind it."""
        return f"{self.mark()} {self.secret()}" if self._is_rare() else self.mark()

    def _is_rare(self) -> bool:
        return self.rng.random() < 0.15

    # Inputs

    def heartbeat(self, at: datetime, folder: str = "ops_atomic") -> File:
        """One report of the monitor."""
        lines = []
        worst = 0
        for number, (group, name, good, bad) in enumerate(MONITORED):
            if number == 0 or MONITORED[number - 1][0] != group:
                lines += ["", f"### {group}", ""]
            level = self.rng.choice([0, 0, 0, 0, 1, 2])
            worst = max(worst, level)
            said = f"{bad}: {self.text()}" if level else good
            lines.append(f"- **{name}:** {('✅', '⚠️', '❌')[level]} {said}")
            if level and self._is_rare():
                lines += ["", self.secret_block(), ""]
        status = ("✅ HEALTHY", "⚠️ WARNINGS", "❌ CRITICAL")[worst]
        checks = "\n".join(lines)
        text = (
            "# OPS-Atomic Monitor Heartbeat\n\n"
            f"**Timestamp:** {at:%Y-%m-%dT%H:%M:%S}.{self.rng.randrange(1000):03}Z\n"
            f"**Status:** {status}\n**Duration:** {self.rng.randrange(500)}ms\n\n"
            f"---\n\n## Health Checks\n{checks}\n\n---\n\n"
            f"## Summary\n\nSeen {self.mark()}.\n"
        )
        path = f"g/reports/{folder}/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
        return File(path, text.encode(), epoch(at))

    def json_heartbeat(self, at: datetime) -> File:
        """The same of a monitor that writes JSON."""
        checks = []
        for group, name, good, bad in MONITORED:
            status = self.rng.choice(["ok", "ok", "ok", "warn", "error"])
            said = good if status == "ok" else f"{bad}: {self.text()}"
            checks.append(
                {"group": group, "name": name, "status": status, "message": said}
            )
        value = {
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}Z",
            "status": self.rng.choice(["ok", "warn", "error"]),
            "duration_ms": self.rng.randrange(500), "checks": checks,
        }  # fmt: skip
        path = f"g/reports/ops_atomic/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.json"
        return File(path, json.dumps(value, indent=1).encode(), epoch(at))

    def health(self, day: date, checks: int = 3) -> File:
        """The health report of a day."""
        at = datetime(day.year, day.month, day.day, 8)
        listed = [
            {"name": f"check {n}", "status": self.rng.choice(["pass", "fail"]),
             "message": self.text()}
            for n in range(checks)
        ]  # fmt: skip
        value = {"timestamp": f"{at:%Y-%m-%dT%H:%M:%S}Z", "checks": listed}
        path = f"g/reports/health/health_{day:%Y%m%d}.json"
        return File(path, json.dumps(value, indent=1).encode(), epoch(at))

    def mcp_health(self, at: datetime, services: int = 2) -> File:
        """What launchd says of the MCP services."""
        listed = "".join(
            f"\n### com.02luka.mcp.s{n}\n\tstate = running\n\tpid = {self.mark()}\n"
            "\tlast exit code = 0\n"
            for n in range(services)
        )
        text = f"## MCP Health @ {at:%Y-%m-%d %H:%M:%S} +00:00\n{listed}"
        path = f"g/reports/mcp_health/{at:%Y%m%d_%H%M%S}.md"
        return File(path, text.encode(), epoch(at))

    def daily_run(self, at: datetime, phases: int = 2) -> File:
        """The report of the daily run."""
        listed = "".join(
            f"\n### Phase {n + 1}: {self.mark()} — PASS\n\n_No output recorded._\n"
            for n in range(phases)
        )
        title = f"# OPS Atomic Run — {at:%Y-%m-%dT%H:%M:%S}Z"
        text = f"{title}\n\n- Status: **PASS**\n{listed}"
        path = f"g/reports/OPS_ATOMIC_{at:%y%m%d_%H%M%S}.md"
        return File(path, text.encode(), epoch(at))

    def query_csv(self, day: date, rows: int, *, is_wide: bool = False) -> File:
        """Executed queries of a day."""
        header = [*ROWS, "cpu_time_ms", "io_wait_ms"] if is_wide else [*ROWS]
        lines = [",".join(header)]
        lines += [",".join(self.query_cells(day, len(header))) for _ in range(rows)]
        return self._nightly(day, f"g/reports/query_perf_daily_{day:%Y%m%d}.csv", lines)

    def query_cells(self, day: date, width: int = len(ROWS)) -> list[str]:
        """The cells of one executed query."""
        at = self.moment(day)
        table = self.secret() if self._is_rare() else self.rng.choice(["docs", "queue"])
        cells = [
            f"{at:%Y-%m-%dT%H:%M:%S}Z", self.mark(),
            self.rng.choice(["SELECT", "UPDATE"]),
            f"{self.rng.randrange(90_000)}.{self.rng.randrange(10)}",
            str(self.rng.randrange(5_000)), str(self.rng.randrange(50)),
            self.rng.choice(["true", "false"]), table, "idx_path", "1.5", "0.25",
        ]  # fmt: skip
        return cells[:width]

    def pattern_csv(self, day: date, rows: int, *, weekly: bool = False) -> File:
        """Queries by pattern, of a day or of the week that a day is in."""
        name = f"daily_{day:%Y%m%d}" if not weekly else f"weekly_{day:%G%V}"
        lines = [",".join(PATTERNS)]
        for _ in range(rows):
            samples = self.rng.randrange(1, 90)
            low = self.rng.randrange(1, 50)
            pattern = f"\"select * from docs where note = '{self.text()}'\""
            lines.append(
                f"{pattern},{samples},{low}.5,{low},{low + 9}.25,{low + 20},true"
            )
        return self._nightly(day, f"g/reports/query_perf_{name}.csv", lines)

    def twin(self, day: date, entries: int) -> File:
        """The patterns of a day as JSON."""
        value = {
            "date": f"{day:%Y%m%d}",
            "total_queries": 7,
            "patterns": [
                {"pattern": f"select {self.text()}", "samples": 3, "p50": 5, "p95": 9,
                 "p99": 12.5, "slow": False}
                for _ in range(entries)
            ],
        }  # fmt: skip
        path = f"g/reports/query_perf_daily_{day:%Y%m%d}.json"
        return self._nightly(day, path, [json.dumps(value, indent=2)])

    def log_lines(self, day: date, count: int) -> File:
        """Lines that are appended to the query log."""
        lines = []
        for _ in range(count):
            at = f"{self.moment(day).isoformat()}.{self.rng.randrange(1000):03}Z"
            query = f"SELECT * FROM docs WHERE id = {self.text()}"
            kind = self.rng.randrange(4)
            value: dict[str, object] = {"ts": at, "query": query}
            if kind == 0:
                value = {"query": query, "duration_ms": 4}
            elif kind == 1:
                value["duration_ms"] = self.rng.randrange(900)
            else:
                total = self.rng.randrange(10_000) / 8
                value |= {
                    "mode": "search", "resultCount": 3,
                    "timings": {"total_ms": total, "cache_hit": True},
                }  # fmt: skip
            lines += [json.dumps(value)] * self.rng.choice([1, 1, 1, 2])
        return self._nightly(day, LOG, lines)

    def telemetry_lines(self, day: date, count: int) -> File:
        """Lines that are appended to the telemetry, some of them twice."""
        at = f"{day}T09:00:00.000Z"
        lines = [
            json.dumps({"ts": at, "metric": f"m_{self.mark()}",
                        "value": self.rng.randrange(1000) / 4})
            for _ in range(count)
        ]  # fmt: skip
        return self._nightly(day, TELEMETRY, lines + lines[: count // 2])

    def advisor(self, at: datetime, place: int = 0) -> File:
        """The report of a night in one of its two shapes."""
        if place == 0:
            advice: list[dict[str, object]] = [
                {"table": f"docs_{self.mark()}", "index": "idx_docs_path",
                 "query_pattern": "select", "estimated_speedup": 3.5,
                 "priority": "high"}
                for _ in range(2)
            ]  # fmt: skip
        else:
            advice = [
                {"table": f"docs_{self.mark()}", "column": "path", "p95_ms": 20,
                 "query_pattern": f"select {self.secret()}", "reason": "slow",
                 "sql": "CREATE INDEX idx_x ON docs(path)",
                 "estimated_impact": "high"}
                for _ in range(2)
            ]  # fmt: skip
        value = {"timestamp": f"{at.isoformat()}Z", "recommendations": advice}
        if place:
            value["slow_queries"] = []
        data = json.dumps(value, indent=2).encode()
        return File(f"{ADVISOR[place]}/index_advisor_report.json", data, epoch(at))

    def summary(self, at: datetime) -> File:
        """The optimizer's summary of a night, without any date in it."""
        lines = [
            f"Cache hit rate {self.mark()}: {self.rng.randrange(100)}.5 %",
            f"Indexes reviewed {self.mark()}: {self.rng.randrange(9)}",
            f"A note of {self.text()}",
        ]
        if self._is_rare():
            lines.append(self.secret_block())
        return File(SUMMARY, ("\n".join(lines) + "\n").encode(), epoch(at))

    def legacy(self, day: date, rows: int = 3) -> File:
        """What the system's first exporter left in the place of our file of a day."""
        beats = []
        for _ in range(rows):
            at = self.moment(day)
            name = f"heartbeat_{at:%Y-%m-%d_%H-%M-%S}-{self.mark()}.md"
            status = self.rng.choice([*legacy.STATUSES])
            beats.append((name, at, status, self.rng.randrange(500)))
        path = f"g/analytics/ops_atomic_{day:%Y%m%d}.parquet"
        return File(path, legacy.made(beats), epoch(self.moment(day)))

    def settings(self) -> File:
        """The operator's own settings, some lines of which are wrong; but none of
        the masks, where that would be an error."""
        name, lines = self.rng.choice(SETTINGS)
        odd = self.rng.choice(["", ",", "x,y,z,more", '"', "overall,often"])
        text = "\n".join(lines if name == "masks" else [*lines, odd]) + "\n"
        path = f"g/analytics/settings/{name}.csv"
        return File(path, text.encode(), epoch(datetime(2025, 10, 29)))

    # A day

    def day(self, day: date, beats: int = 4) -> tuple[list[File], list[File]]:
        """(files, lines to append) of a whole day."""
        night = self._night(day)
        summary = self.summary(night)
        copy = f"g/reports/optimization_summary_{day:%Y%m%d}.txt"
        files = [self.heartbeat(self.moment(day)) for _ in range(beats)]
        files += [self.query_csv(day, 5), self.twin(day, 2), summary]
        files.append(summary._replace(path=copy))
        files += [self.advisor(night, place) for place in (0, 1)]
        files += [self.json_heartbeat(self.moment(day)), self.health(day)]
        files += [self.mcp_health(self.moment(day)), self.daily_run(self.moment(day))]
        if day.weekday() == 0:
            files.append(self.pattern_csv(day, 3, weekly=True))
        return files, [self.log_lines(day, 5), self.telemetry_lines(day, 4)]

    def moment(self, day: date) -> datetime:
        """Some second of a day."""
        midnight = datetime(day.year, day.month, day.day)
        return midnight + timedelta(seconds=self.rng.randrange(86_400))

    def _nightly(self, day: date, path: str, lines: list[str]) -> File:
        data = "".join(f"{line}\n" for line in lines).encode()
        return File(path, data, epoch(self._night(day)))

    def _night(self, day: date) -> datetime:
        """Shortly before the day's end; another time for other content: a file of the
        same size and time counts as the same."""
        seconds = self.marks % 600
        return datetime(day.year, day.month, day.day, 23, 50) + timedelta(0, seconds)


def epoch(at: datetime) -> int:
    """A naive UTC time in seconds."""
    return int((at - datetime(1970, 1, 1)).total_seconds())
