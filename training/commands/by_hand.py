"""What people run by hand."""

import math
import os
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from training.engines import engine
from training.errors import ParamsError
from training.params.whole import Params
from training.project import Project

if TYPE_CHECKING:
    from training.tracking.connection import Client

PARAMS = ""  # catalogue --apply without a file
CATALOGUE_KEY = "CATALOGUE_KEY"  # of the environment: a key of an editor


def check(_: Project, params: Params, __: Namespace) -> None:
    """Check every value of params.yaml."""
    from training.check import check_families

    check_families(params, params.models)
    engine(params.engine).check()


def tune(project: Project, params: Params, options: Namespace) -> None:
    """Search for better parameters of a family on validation."""
    from training.tuning.summary import search_table
    from training.tuning.targets import RECIPE, targets_of_recipe, with_better, write_better
    from training.tuning.tune import tune

    if math.isinf(options.attempts) and options.timeout is None:
        raise ParamsError("give --attempts, --timeout or both, so that it ends")
    targets = targets_of_recipe(params) if options.family == RECIPE else {options.family: options.family}
    timeout = options.timeout and options.timeout / len(targets)
    for family, candidate in targets.items():
        search = tune(project, params, family, candidate, options.attempts, timeout, say=print)
        if better := search.better_params():
            params = with_better(params, family, better)  # the next one is tuned beside it
            if options.apply:
                write_better(project.params, family, candidate, better)
        print(search_table(search, applied=options.apply))


def catalogue(project: Project, params: Params, options: Namespace) -> None:
    """Propose columns of items and attributes of people, by what their files hold."""
    if options.apply not in (None, PARAMS):
        from training.editing import apply_changes

        print(f"catalogue: {apply_changes(Path(options.apply), options.url, os.environ.get(CATALOGUE_KEY, ''))}")
    elif options.export is not None:
        from training.editing import export_items

        print(f"catalogue: {export_items(project, params, options.export)}")
    else:
        from training.propose import propose

        print(propose(project, params, apply=options.apply == PARAMS))


def placements(project: Project, params: Params, options: Namespace) -> None:
    """Keep the service's placements in a file, or say what those of a file cost."""
    from training.placing import apply_placements, export_placements

    if options.evaluate is not None:
        from training.placement_quality import evaluate_placements

        print(f"placements: {evaluate_placements(project, params, options.evaluate)}")
        return
    act, file = (export_placements, options.export) if options.apply is None else (apply_placements, options.apply)
    print(f"placements: {act(file, options.url, os.environ.get(CATALOGUE_KEY, ''))}")


def source(project: Project, params: Params, options: Namespace) -> None:
    """Switch to other ratings, and set aside what was said about other films."""
    from training.source import switch

    print(switch(project, params, params.fetch.model_copy(update={"source": options.source})))


def recipe(project: Project, _: Params, options: Namespace) -> None:
    """Write a recipe for a kind of data into params.yaml."""
    from training.tuning.recipe import apply_recipe

    print(apply_recipe(project, options.name, options.size))


def export(project: Project, params: Params, options: Namespace) -> None:
    """Write every user's list into parquet files."""
    from training.export import ExportOptions, export
    from training.lists.filters import parse_filters

    write = engine(params.engine).write_buckets(project, params)
    wanted = ExportOptions(options.k, options.alias, parse_filters(options.filters), options.placement)
    made = export(project, params, wanted, options.out, write)
    lists = f"{made['rows']:,} rows for {made['users']:,} users of version {made['model_version']}"
    print(f"export: {lists} in {len(made['files'])} files in {options.out}")


def report(project: Project, params: Params, _: Namespace) -> None:
    """Write reports/comparison again, against what is live now."""
    from training.register import compare

    compare(project, params)
    print(f"report: {project.comparison.relative_to(project.root)}/report.html")


def promote(project: Project, params: Params, options: Namespace) -> None:
    """Give a version the alias production."""
    from training.tracking.aliases import promote
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    _say_live(client, name, options.version, promote(client, name, options.version))


def rollback(project: Project, params: Params, _: Namespace) -> None:
    """Make the previous version live again."""
    from training.tracking.aliases import follow, rollback
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    if moved := follow(client, name):
        print(f"{name}: {moved}")
    former, version = rollback(client, name)
    _say_live(client, name, version, former)


def trial(project: Project, params: Params, options: Namespace) -> None:
    """Judge the running trials: say which version, and which placement, people like better."""
    from training.pleased.looking import publish_last_week, yesterday
    from training.trials.running import judge_running

    once = partial(judge_running, project, params, decide=options.decide)
    if options.cron is None:
        print("\n".join(f"trial: {sentence}" for sentence in once()[1]))
        if options.publish:
            publish_last_week(project, params)
        return
    from training.pleased.metrics import PleasedMetrics
    from training.retrain.schedule import parse_schedule
    from training.trials.metrics import TrialMetrics
    from training.trials.service import serve

    metrics, trigger = TrialMetrics(), parse_schedule(options.cron, "--cron")
    pleased_metrics = PleasedMetrics(metrics.collectors)

    def also() -> None:
        pleased_metrics.show(yesterday(project, params))
        publish_last_week(project, params)

    serve(once, also, metrics, trigger, options.host, options.port)


def pleased(project: Project, params: Params, options: Namespace) -> None:
    """Say what people liked of what they were shown, with intervals."""
    from training.pleased.looking import please

    print(please(project, params, options.first, options.last, publish=options.publish))


def replay(project: Project, params: Params, options: Namespace) -> None:
    """Say what a version would have brought at explored ranks, beside the one with an alias."""
    from training.pleased.replaying import replay_versions

    print(replay_versions(project, params, options.version, options.alias, (options.first, options.last)))


def retrain(project: Project, _: Params, options: Namespace) -> None:
    """Run dvc repro on a schedule, until SIGTERM."""
    from training.retrain.schedule import parse_schedule
    from training.retrain.service import serve

    serve(project.root, parse_schedule(options.cron), options.host, options.port, options.lock)


def _say_live(client: "Client", name: str, version: str, former: str | None) -> None:
    """Say which version is live now, and which trials that has ended."""
    from app.contract.alias import PRODUCTION
    from training.tracking.on_trial import end_overtaken

    before = "as before" if version == former else f"{former or 'none'} was before"
    print(f"{name}: version {version} is {PRODUCTION}, {before}")
    for sentence in end_overtaken(client, name):
        print(f"{name}: {sentence}")
