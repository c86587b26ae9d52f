from __future__ import annotations

from datetime import date, datetime

import pytest

from exporter.reporting.period import Period, day_before, week_before


def test_the_day_before_is_a_complete_one() -> None:
    period = day_before(datetime(2025, 3, 1, 0, 0, 1))
    assert period == Period("2025-02-28", date(2025, 2, 28), date(2025, 3, 1))
    assert (period.before.since, period.before.until) == (
        date(2025, 2, 27),
        date(2025, 2, 28),
    )


@pytest.mark.parametrize("day", range(29, 32))
def test_a_week_goes_from_monday_to_sunday_across_the_year(day: int) -> None:
    # Of 2025, Monday the 29th is the first day of the first week of 2026.
    period = week_before(datetime(2025, 12, day))
    assert period.name == "2025-W52 (2025-12-22 to 2025-12-28)"
    assert (period.since, period.until) == (date(2025, 12, 22), date(2025, 12, 29))
    assert period.before.since == date(2025, 12, 15)


def test_a_sunday_still_belongs_to_its_week() -> None:
    period = week_before(datetime(2026, 1, 4, 23, 59, 59))
    assert period.name == "2025-W52 (2025-12-22 to 2025-12-28)"
    assert week_before(datetime(2026, 1, 5)).name.startswith("2026-W01 ")


def test_a_period_ends_before_its_end() -> None:
    period = day_before(datetime(2025, 3, 1))
    assert period.covers(datetime(2025, 2, 28, 23, 59, 59))
    assert period.covers(date(2025, 2, 28))
    assert not period.covers(datetime(2025, 3, 1))
    assert period.before.covers(datetime(2025, 2, 27))
