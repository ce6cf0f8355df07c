"""The contents of a report, in their order."""

from collections.abc import Iterator

from training.metrics.beyond_accuracy import METRICS
from training.report import plots
from training.report.comparison import Comparison
from training.report.example_users import ExampleUser
from training.report.page import Page, Part, Picture, Section, Text
from training.report.tables import (
    accuracy_table,
    activity_table,
    among_all_table,
    beyond_accuracy_table,
    check_table,
    cold_table,
    cost_table,
    difference_table,
    lists_table,
    newcomers_table,
)


def lay_out(comparison: Comparison) -> Page:
    """Lay out the page of a comparison."""
    sections = [
        Section("This run", _facts(comparison)),
        Section("Accuracy", _accuracy(comparison)),
        Section("Differences", _differences(comparison)),
        Section("Checks of data and lists", _checks(comparison)),
        Section("Beyond accuracy", _beyond_accuracy(comparison)),
        Section("Few and many ratings", _activity(comparison)),
        Section("Cold films", [*_cold_alone(comparison), *_strangers(comparison)]),
        Section("Learning and cost", _cost(comparison)),
    ]
    users = [Section(f"User {user.user_id}", _example_user(user)) for user in comparison.example_users]
    return Page(f"Comparison of a run on {comparison.params.fetch.source}", sections + users)


def _facts(comparison: Comparison) -> list[Part]:
    params, data, metric = comparison.params, comparison.data, comparison.params.select.metric
    split, live = params.prepare.split, comparison.live
    return [
        Text(f"{', '.join(candidate.name for candidate in comparison.candidates)}.", "Candidates:"),
        Text(f"{comparison.served}, the best by {metric} on validation. The test split had no say in it.", "Chosen:"),
        Text(f"{live}{'; ' + comparison.obstacle if comparison.obstacle else ''}.", "Live when this was written:"),
        Text(
            f"{params.fetch.source}; {data['users']:,} users, {data['films']:,} films, {data['ratings']:,} ratings. "
            f"Split {split.method}: {data['train']:,} positives to train on, {data['validation']:,} for validation, "
            f"{data['test']:,} for the test. Seed {params.seed}.",
            "Data:",
        ),
        Text(
            f"on {data['test_users']:,} test users, by recipes fitted to train and validation, as the service ranks: "
            f"all films but those that the user has rated. {metric} decides.",
            "Measured:",
        ),
        Text(
            f"95 % intervals of the mean over users, from {params.evaluate.bootstrap:,} resamples of the test users: "
            "how far the figure would move with other users of the same kind. They say nothing about another seed; "
            "`select.seeds` does. "
            "Two candidates whose intervals overlap may still differ clearly, as both rank the same users: "
            "that is what the paired differences show.",
            "Brackets:",
        ),
        Text(comparison.results, "Results (pipeline_hash of the run in MLflow):"),
    ]


def _accuracy(comparison: Comparison) -> list[Part]:
    return [
        accuracy_table(comparison),
        Picture("ndcg_by_k", "NDCG at every k of evaluate.at; shaded: 95 % intervals", plots.ndcg_by_k(comparison)),
    ]


def _differences(comparison: Comparison) -> list[Part]:
    confidence = comparison.params.registration.gate.confidence
    missing = [Text(f"Not compared with what is live: {comparison.obstacle}.")] if comparison.obstacle else []
    if not comparison.differences:
        return [*missing, Text("There is nothing to compare with but popularity itself.")]
    return [
        *missing,
        difference_table(comparison),
        Text(
            f"Mean difference in {comparison.params.select.metric} over users who are in both, with its "
            f"{100 * confidence:g} % interval by the gate's own bootstrap. p: two-sided paired t-test after "
            f"Holm's correction for all {len(comparison.differences)} differences of the table. "
            f"Better or worse: the interval excludes 0 and p is below {1 - confidence:.2g}."
        ),
    ]


def _checks(comparison: Comparison) -> list[Part]:
    return [
        check_table(comparison),
        Text(
            "Made before a version is promoted: a failed check refuses it, however good its figures are. "
            "What can't be compared passes. register.checks in params.yaml sets the limits."
        ),
    ]


def _beyond_accuracy(comparison: Comparison) -> list[Part]:
    pictures = [
        Picture(
            f"accuracy_{name}", f"{title}: {METRICS[name].meaning}", plots.accuracy_against(comparison, name, title)
        )
        for name, title in (("coverage", "coverage"), ("popularity_share", "popularity share"))
    ]
    meanings = " ".join(f"{name}: {metric.meaning}." for name, metric in METRICS.items())
    return [beyond_accuracy_table(comparison), Text(meanings), *pictures]


def _activity(comparison: Comparison) -> list[Part]:
    if not comparison.activity:
        return [Text("No segment of evaluate.segments holds a test user.")]
    caption = f"{comparison.params.select.metric} by the number of ratings known of a user; lines: 95 % intervals"
    return [activity_table(comparison), Picture("by_activity", caption, plots.by_activity(comparison))]


def _strangers(comparison: Comparison) -> Iterator[Part]:
    """What `evaluate.cold` measures."""
    if "among_all" in comparison.candidates[0].cold:
        yield Text("NDCG of all test users with the cold films among all, and with these left out of the lists.")
        yield among_all_table(comparison)
    if any(candidate.evaluation.get("newcomers") for candidate in comparison.candidates):
        yield Text("NDCG of test users as if they were new: by their attributes alone, and by popularity.")
        yield newcomers_table(comparison)


def _cold_alone(comparison: Comparison) -> list[Part]:
    cold = comparison.candidates[0].cold
    if not cold["users"]:
        return [Text(f"Films without a positive before the test: {cold['items']:,}. No test user liked one of them.")]
    return [
        Text(
            f"Films without a positive before the test: {cold['items']:,}. Test users who liked one of them: "
            f"{cold['users']:,}. Recall when only those films are ranked, ties as if in random order: chance is what "
            "somebody reaches who knows nothing about them."
        ),
        cold_table(comparison),
        Picture("cold_recall", "Recall among the cold films; shaded: 95 % intervals", plots.cold_recall(comparison)),
    ]


def _cost(comparison: Comparison) -> list[Part]:
    return [
        cost_table(comparison),
        *(Text(f"{sentence}.", f"Weights of {name}:") for name, sentence in _weights(comparison)),
        *(Text(f"{sentence}.", f"Events in {name}:") for name, sentence in _event_weights(comparison)),
        Text(
            "Seconds are those of the whole training: finding epochs or weights on validation, the fit on train and "
            "validation, and the fold-in encoder. Not measured: the artifact was restored from DVC's cache. "
            "Size is that of the artifact's files, catalogue included."
        ),
        Picture(
            "learning_curves",
            f"{comparison.params.select.metric} on validation while learning; the best epoch is marked",
            plots.learning_curves(comparison),
        ),
    ]


def _weights(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """The weights of a blend's members; one of weight 0 is said to be left out."""
    for candidate in comparison.candidates:
        if weights := candidate.training["params"].get("weights"):
            each = [f"{name} {weight:.2f}" + (" (left out)" if weight == 0 else "") for name, weight in weights.items()]
            yield candidate.name, ", ".join(each)


def _event_weights(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What it gained to count events less than likes, where events.types has a weight."""
    metric = comparison.params.select.metric
    for candidate in comparison.candidates:
        if found := candidate.training.get("event_weights"):
            if found["weighed"] is None:
                yield candidate.name, "all positives count alike, as the family can't weigh them"
                continue
            gain = (
                f"{metric} on validation {found['alike']:.4f} with all positives alike, {found['weighed']:.4f} weighed"
            )
            yield candidate.name, f"{gain}; so they are {'weighed' if found['used'] else 'not weighed'}"


def _example_user(user: ExampleUser) -> list[Part]:
    return [
        Text(f"{user.history} ratings known.", "Activity:"),
        Text("; ".join(user.liked_before) or "nothing", "Liked last, before the test:"),
        Text("; ".join(user.liked_in_test), "Liked in the test:"),
        lists_table(user),
    ]
