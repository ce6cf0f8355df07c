"""What a service counts, read as Prometheus reads it."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

Samples = dict[str, float]


def samples(text: str) -> Samples:
    """Values by name and labels, written `name{label=value,...}`, labels in order."""
    return {
        _written(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def collected(collectors: CollectorRegistry) -> Samples:
    """The samples of all collectors."""
    return samples(generate_latest(collectors).decode())


def collected_from(collector: Collector) -> Samples:
    """The samples of one collector."""
    collectors = CollectorRegistry()
    collectors.register(collector)
    return collected(collectors)


def _written(name: str, labels: dict[str, str]) -> str:
    if not labels:
        return name
    return f"{name}{{{','.join(f'{key}={value}' for key, value in sorted(labels.items()))}}}"
