"""What the marts say now, as gauges: the same answers as on the dashboard."""

from __future__ import annotations

from prometheus_client.core import Metric

from exporter.answers.ask import Answers, Row
from exporter.metrics.gauges import gauge, gauges, seconds
from exporter.reporting.budgets import burn_rate

STATES = ("up", "degraded", "down", "unknown", "maintenance")
# The range of the queries' figures, and how many of them there are at most: each
# is a time series.
QUERY_RANGE, MOST_QUERIES = "7d", 20


def answer_metrics(answers: Answers) -> list[Metric]:
    """All that is known of checks, queries and records. Raises duckdb.Error."""
    return [
        gauge(
            "reckoned_timestamp_seconds",
            "The moment as of which checks, queries and records are reckoned.",
            seconds(answers.as_of),
        ),
        *_checks(answers),
        *_targets(answers.rows("slo")),
        *_incidents(answers),
        *_queries(answers),
        *_records(answers),
    ]


def _checks(answers: Answers) -> list[Metric]:
    (status,) = answers.rows("status")
    return [
        gauge(
            "last_heartbeat_timestamp_seconds",
            "Time of the newest heartbeat.",
            seconds(status["last_heartbeat_at"]),
        ),
        gauges(
            "check_state",
            "1 for the state that a check is in, 0 for the others.",
            ("check", "state"),
            [
                ({"check": row["check_key"], "state": state}, state == row["state"])
                for row in answers.rows("checks")
                for state in STATES
            ],
        ),
    ]


def _targets(rows: list[Row]) -> list[Metric]:
    labels = ("check", "period")
    by_check = [({"check": r["check_key"], "period": r["period"]}, r) for r in rows]

    def column(name: str, help_text: str, cell: str) -> Metric:
        samples = [(labelled, row[cell]) for labelled, row in by_check]
        return gauges(name, help_text, labels, samples)

    return [
        column(
            "uptime_ratio",
            "Share of the observed time of a period that a check was up.",
            "uptime_observed",
        ),
        column(
            "coverage_ratio",
            "Share of a period in which the state of a check was observed.",
            "coverage",
        ),
        column(
            "slo_target_ratio",
            "Share of the observed time in which a check is to be up.",
            "target",
        ),
        column(
            "slo_budget_seconds",
            "Time that a check may be down in a period.",
            "error_budget_s",
        ),
        column(
            "slo_budget_left_seconds",
            "What is left of the time that a check may be down; negative when used up.",
            "budget_left_s",
        ),
        column("slo_breached", "Whether a check is below its target.", "is_breached"),
        gauges(
            "slo_burn_rate",
            "How fast the budget is used up: at 1 it lasts just for its period.",
            ("check", "window"),
            [
                (labelled | {"window": window}, burn_rate(row, window))
                for labelled, row in by_check
                if row["period"] == rows[0]["period"]  # it is the same in all
                for window in ("1h", "6h")
            ],
        ),
    ]


def _incidents(answers: Answers) -> list[Metric]:
    is_open = [row for row in answers.rows("incidents") if row["is_open"]]
    return [
        gauges(
            "incident_open_since_timestamp_seconds",
            "When the open incident of a check began; no sample without one.",
            ("check",),
            [
                ({"check": row["check_key"]}, seconds(row["started_at"]))
                for row in is_open
            ],
        ),
        gauge("open_incidents", "Incidents that are open.", len(is_open)),
        gauges(
            "incidents",
            "Incidents of a check in the last 90 days.",
            ("check",),
            [
                ({"check": row["check_key"]}, row["incidents_90d"])
                for row in answers.rows("checks")
            ],
        ),
    ]


def _queries(answers: Answers) -> list[Metric]:
    queries = [row for row in answers.rows("queries") if row["period"] == QUERY_RANGE][
        :MOST_QUERIES
    ]
    days = answers.rows("query_days")
    regressed = [r for r in answers.rows("regressions") if r["verdict"] == "regressed"]
    return [
        gauges(
            "query_p95_seconds",
            "95th percentile of a query's time over the last 7 days.",
            ("query_hash",),
            [(row, row["p95_ms"] / 1000) for row in queries],
        ),
        gauge(
            "queries_p95_seconds",
            "95th percentile of the time of all queries of the newest day.",
            days[-1]["p95_ms"] / 1000 if days else None,
        ),
        gauge(
            "regressed_queries", "Queries and patterns that got slower.", len(regressed)
        ),
    ]


def _records(answers: Answers) -> list[Metric]:
    sources = answers.rows("freshness")
    days = [row for row in answers.rows("quality") if row["grain"] == "day"]
    newest = max((row for row in days if row["landed"]), key=_day, default=None)
    forecasts = [
        row
        for row in answers.rows("forecast")
        if (row["metric"], row["series"]) == ("stored_bytes", "all")
    ]
    labels = ("source", "dataset")
    return [
        gauges(
            "source_last_record_timestamp_seconds",
            "Time of the newest record of a source that is expected.",
            labels,
            [(row, seconds(row["last_record_at"])) for row in sources],
        ),
        gauges(
            "source_limit_seconds",
            "Age of a source's newest record from which on it is stale.",
            labels,
            [(row, row["allowed_age_s"]) for row in sources],
        ),
        gauge(
            "rejected_ratio",
            "Share of rejects among the landed records of the newest day.",
            newest["rejected"] / newest["landed"] if newest else None,
        ),
        gauges(
            "stored_forecast_bytes",
            "Bytes that published Parquet will take, with its interval of 80 percent.",
            ("horizon_days", "bound"),
            [
                (row | {"bound": bound}, row[column])
                for row in forecasts
                for bound, column in (
                    ("lower", "lower_80"),
                    ("middle", "forecast"),
                    ("upper", "upper_80"),
                )
            ],
        ),
    ]


def _day(row: Row) -> str:
    return str(row["day"])
