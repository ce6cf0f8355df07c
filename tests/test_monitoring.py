"""Prometheus' rules and Grafana's dashboard ask for metrics that the service has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from ruamel.yaml import YAML

from tests.artifacts import write
from tests.client import put_in_cache, serving
from tests.conftest import MakeSettings
from tests.processes import PROJECT
from training.pleased.metrics import PleasedMetrics
from training.retrain.metrics import RetrainMetrics
from training.trials.metrics import TrialMetrics

OF_HISTOGRAM = ("_bucket", "_sum", "_count")


@pytest.fixture
def metrics(make_settings: MakeSettings, tmp_path: Path) -> dict[str, str]:
    """Name and kind of each metric: of the service, once it has answered somebody, and of training's programs."""
    settings = make_settings(events_url=f"sqlite:///{tmp_path}/events.db")
    put_in_cache(settings, write(tmp_path / "artifact"))
    with serving(settings) as client:
        client.get("/users/1/recommendations")
        trial = TrialMetrics().collectors
        PleasedMetrics(trial)
        programs = [RetrainMetrics(86_400).collectors, trial]
        text = client.get("/metrics").body.decode() + "".join(generate_latest(each).decode() for each in programs)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    histograms = [name for name, kind in kinds.items() if kind == "histogram"]
    return kinds | {f"{name}{suffix}": "histogram" for name in histograms for suffix in OF_HISTOGRAM}


@pytest.mark.parametrize("name", ["rules.yml", "kubernetes-rules.yml"])
def test_prometheus_accepts_the_rules(name: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("There is no promtool here: apt-get install prometheus.")
    command = ["promtool", "check", "rules", str(PROJECT / "deploy" / "prometheus" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def rules() -> list[str]:
    """The expressions of the alerts."""
    read = YAML(typ="safe").load(PROJECT / "deploy" / "prometheus" / "rules.yml")
    return [rule["expr"] for group in read["groups"] for rule in group["rules"]]


def panels() -> list[str]:
    """The expressions of the dashboard."""
    board = json.loads((PROJECT / "deploy" / "grafana" / "dashboards" / "recommender.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def named(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:recommender|process)_\w+", expression))


def test_rules_and_dashboard_name_metrics_that_there_are(metrics: dict[str, str]) -> None:
    for expression in [*rules(), *panels()]:
        assert named(expression) <= metrics.keys(), expression


def test_only_counters_and_histograms_have_a_rate(metrics: dict[str, str]) -> None:
    for expression in [*rules(), *panels()]:
        for name in re.findall(r"(?:rate|increase)\((\w+)", expression):
            assert metrics[name] in ("counter", "histogram"), expression


def test_each_alert_is_explained() -> None:
    text = (PROJECT / "docs" / "deployment.md").read_text(encoding="utf-8")
    read = YAML(typ="safe").load(PROJECT / "deploy" / "prometheus" / "rules.yml")
    for group in read["groups"]:
        for rule in group["rules"]:
            assert f"| `{rule['alert']}` |" in text
