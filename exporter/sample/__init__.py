"""A synthetic root of any size, in the formats and shapes of a real one.

The same seed gives the same bytes and modification times on every machine: a
day is drawn from its own generator, seeded by the seed and the date, so that
it does not depend on how many days are written around it; what is planted goes
by the number of the day.
"""

from exporter.sample.write import SampleCount, write_sample

__all__ = ["SampleCount", "write_sample"]
