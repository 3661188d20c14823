"""The numbers of all server processes in Prometheus's text format."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from app.foundation.tally import COUNTERS, GAUGES, HISTOGRAMS, Key, read_snapshots

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(folder: Path) -> bytes:
    """What the processes that report to `folder` have counted; at most a second old."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(read_snapshots(folder)))
    return generate_latest(registry)


class _Numbers(Collector):
    def __init__(self, found: Mapping[str, Mapping[Key, Any]]) -> None:
        self.found = found

    def collect(self) -> Iterator[Metric]:
        for name, metric in COUNTERS.items():
            counter = CounterMetricFamily(name, metric.help, labels=metric.labels)
            for labels, value in self._of("counters", name):
                counter.add_metric(labels, value)
            yield counter
        for name, metric in GAUGES.items():
            gauge = GaugeMetricFamily(name, metric.help, labels=metric.labels)
            for labels, value in self._of("gauges", name):
                gauge.add_metric(labels, value)
            yield gauge
        for name, metric in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, metric.help, labels=metric.labels)
            for labels, (total, *classes) in self._of("histograms", name):
                bounds = [*map(str, metric.buckets), "+Inf"]
                buckets = list(zip(bounds, accumulate(classes), strict=True))
                histogram.add_metric(labels, buckets, total)
            yield histogram

    def _of(self, kind: str, name: str) -> Iterator[tuple[list[str], Any]]:
        for key, value in sorted(self.found[kind].items()):
            if key[0] == name:
                yield list(key[1:]), value
