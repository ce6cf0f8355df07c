"""What MLflow's page shows about a version: all that a person needs before promoting it, as Markdown."""

from training.evaluation.results import headline_k
from training.files import REPRODUCE, read_json
from training.metrics import ranking
from training.metrics.bootstrap import Interval
from training.promotion.contest import Contest
from training.promotion.gate import Ruling


def describe(contest: Contest, ruling: Ruling, decision: str, run: str) -> str:
    """Write the decision, the metrics with their intervals, the differences, the checks, and a link to `run`."""
    data = contest.figures
    events = f", with events up to number {data.until:,} of store {data.store}" if data.store else ""
    parts = [
        # MLflow's table of versions shows the beginning of this line as plain text.
        f"{contest.candidate}, registered as {decision}: {ruling.reason}.",
        f"Learned from {data.ratings:,} ratings of {data.items:,} items by {data.users:,} users{events}.",
        _metrics(contest),
        _differences(contest, ruling),
        _checks(ruling),
        "**To make it live**, give it the alias `production`: the pencil at *Aliases* above. The blue button *Promote "
        "model* does something else: it copies the version to another model, which nobody serves.",
        f"[The run, with its report below *Artifacts*, comparison]({run})",
    ]
    return "\n\n".join(part for part in parts if part)


def _metrics(contest: Contest) -> str:
    """The metrics on the test split, as its candidate has them."""
    report = read_json(contest.project.evaluation(contest.candidate), REPRODUCE)
    k = headline_k(contest.params)
    names = [name for name in (*(f"{metric}@{k}" for metric in ranking.METRICS), "auc") if name in report["metrics"]]
    means, intervals = report["metrics"], report["confidence_95"]
    rows = [f"| {name} | {Interval(means[name], *intervals[name]):.4f} |" for name in names]
    head = ["| metric | mean with 95 % interval |", "|---|---|"]
    return "\n".join([f"**Measured on {report['users']:,} test users**", "", *head, *rows])


def _differences(contest: Contest, ruling: Ruling) -> str:
    """Popularity and the live version's recipe on the same users; empty where nothing was compared."""
    rows = [f"| {opponent}, {mean:.4f} | {difference} |" for opponent, mean, difference in ruling.opponents()]
    head = ["| against | difference of this version |", "|---|---|"]
    return "\n".join([f"**Compared in {contest.metric}**", "", *head, *rows]) if rows else ""


def _checks(ruling: Ruling) -> str:
    outcomes = {True: "passed", False: "**failed**"}
    lines = [f"* {check.name} {outcomes[check.passed]}: {check.sentence}" for check in ruling.checks]
    return "\n".join(["**Checks of data and lists**", "", *lines])
