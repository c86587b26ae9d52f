"""A small line chart as SVG: cost of a run against how much there is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 216, 44, 52
COLOURS = ("#1f6feb", "#d1495b", "#2e8b57", "#8250df", "#9a6700")
STEPS = (1, 2, 5)

Points = Sequence[tuple[int, float]]


def place(value: float, low: float, high: float, start: float, end: float) -> float:
    """Where a value stands on a logarithmic axis from `start` to `end`."""
    if high == low:
        return (start + end) / 2
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return start + share * (end - start)


def ticks_of(values: Sequence[float]) -> list[float]:
    """1, 2 or 5 times a power of ten, from below the values to above them."""
    decades = range(
        math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1
    )
    # As text: 0.1 times 5 is no 0.5.
    all_ticks = [float(f"{step}e{decade}") for decade in decades for step in STEPS]
    low = max(tick for tick in all_ticks if tick <= min(values))
    high = min(tick for tick in all_ticks if tick >= max(values))
    return [tick for tick in all_ticks if low <= tick <= high]


def svg(series: Mapping[str, Points], title: str, across: str = "stored days") -> str:
    """Seconds against stored days, or what `across` says, both logarithmic."""
    days = sorted({day for points in series.values() for day, _ in points})
    ticks = ticks_of([s for points in series.values() for _, s in points])

    def x(day: float) -> float:
        return place(day, days[0], days[-1], LEFT, WIDTH - RIGHT)

    def y(cost: float) -> float:
        return place(cost, ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#57606a">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" fill="#24292f">{escape(title)}</text>',
    ]
    parts += [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" '
        f'y2="{y(tick):.1f}" stroke="#d0d7de"/>'
        f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">'
        f"{tick:,g} s</text>"
        for tick in ticks
    ]
    parts += [
        f'<text x="{x(day):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
        f"{day:,}</text>"
        for day in days
    ]
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" '
        f'text-anchor="middle">{escape(across)}</text>'
    )
    last = TOP - 16.0
    by_height = sorted(series.items(), key=lambda item: y(item[1][-1][1]))
    for number, (name, points) in enumerate(by_height):
        colour = COLOURS[number % len(COLOURS)]
        corners = " ".join(f"{x(d):.1f},{y(s):.1f}" for d, s in sorted(points))
        parts.append(
            f'<polyline points="{corners}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x(d):.1f}" cy="{y(s):.1f}" r="3" fill="{colour}"/>'
            for d, s in points
        ]
        # Names do not run into each other.
        last = max(y(max(points)[1]) + 4, last + 16)
        parts.append(
            f'<text x="{WIDTH - RIGHT + 10}" y="{last:.1f}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
