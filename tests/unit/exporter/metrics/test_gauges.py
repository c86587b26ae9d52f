from __future__ import annotations

from datetime import datetime

from exporter.metrics.gauges import Samples, gauge, gauges, seconds


def test_what_is_not_known_has_no_sample() -> None:
    assert gauge("a", "Help.", None).samples == []
    assert [sample.value for sample in gauge("a", "Help.", False).samples] == [0]


def test_no_two_samples_have_the_same_labels() -> None:
    samples: Samples = [({"x": 1}, 1.0), ({"x": "1"}, 2.0), ({"x": 2}, None)]
    (only,) = gauges("a", "Help.", ("x",), samples).samples
    assert (only.name, only.labels, only.value) == ("ops_atomic_a", {"x": "1"}, 2)


def test_times_are_utc() -> None:
    assert seconds(datetime(1970, 1, 2)) == 86400
    assert seconds(None) is None
