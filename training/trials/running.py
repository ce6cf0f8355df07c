"""Judges the running trials, publishes the verdicts, and ends that of versions if asked to."""

import time
from dataclasses import replace
from pathlib import Path

from app.contract.alias import PRODUCTION
from app.contract.trial import Trial, gain_tags
from training.data.events.snapshot import Snapshot, existing_store, snapshot
from training.files import replacing
from training.params.whole import Params
from training.project import Project
from training.report.html import to_html
from training.tracking import aliases, on_trial
from training.tracking.connection import Client, connect
from training.trials.attribution import AnyTrial, observe
from training.trials.page import lay_out
from training.trials.placements import placement_trials, publish
from training.trials.records import kept_events, read_records, share_of
from training.trials.verdict import Verdict, judge


def judge_running(project: Project, params: Params, *, decide: bool) -> tuple[list[Verdict], list[str]]:
    """Judge all running trials; with `decide`, promote or drop the challenger if that is due.

    Return the verdicts, and what happened in sentences. Raises DataError where the store can't be read, TrackingError
    where MLflow can't be reached or refuses.
    """
    placed, said = judge_placements(project, params)
    verdict, more = _judge_versions(project, params, decide=decide)
    if verdict is None:
        more += [] if placed else ["no trial is running"]
        return placed, [*said, *more]
    return [*placed, verdict], [*said, *more]


def judge_placements(project: Project, params: Params) -> tuple[list[Verdict], list[str]]:
    """Judge the running trials of placements, write their pages, and publish the verdicts; editors decide."""
    address, now = existing_store(project.root), time.time()
    if address is None:
        return [], []
    with snapshot(address) as store:
        running = placement_trials(store).running
        judged = [(trial, _judged(store, params, trial, now)) for trial in running]
        for trial, verdict in judged:
            publish(store, trial, verdict)
    for trial, verdict in judged:
        _write_page(project.trial.with_name(f"placement-{trial.placement}.html"), params, verdict, now)
    verdicts = [verdict for _, verdict in judged]
    return verdicts, [each for verdict in verdicts for each in (verdict.sentence, *_time_left(verdict))]


def _judge_versions(project: Project, params: Params, *, decide: bool) -> tuple[Verdict | None, list[str]]:
    client, name = connect(project.root, params.registration.experiment), params.registration.name
    ended = [*filter(None, [aliases.follow(client, name)]), *on_trial.end_overtaken(client, name)]
    trial = on_trial.running(client, name)
    if trial is None:
        return None, ended
    now = time.time()
    with snapshot(kept_events(project.root)) as store:
        verdict = _judged(store, params, trial, now)
    page = _write_page(project.trial, params, verdict, now)
    on_trial.show(client, name, trial, verdict.sentence, gain_tags(verdict.gain), page)
    said = [*ended, verdict.sentence, *_time_left(verdict)]
    return verdict, [*said, *_decided(client, name, trial, verdict)] if decide else said


def _judged(store: Snapshot, params: Params, trial: AnyTrial, now: float) -> Verdict:
    secrets = tuple(each.secret for each in placement_trials(store).ever)
    records = read_records(store, trial, secrets)
    if records.experiment:
        trial = replace(trial, share=share_of(records.experiment))
    registration = params.registration
    observations = observe(records, trial, registration.trial.success, params.event_types)
    return judge(trial, records, observations, registration.trial, registration.gate.confidence, now)


def _write_page(path: Path, params: Params, verdict: Verdict, now: float) -> Path:
    content = to_html(lay_out(verdict, params.registration.gate.confidence, now))
    with replacing(path) as partial:
        partial.write_text(content, encoding="utf-8")
    return path


def _time_left(verdict: Verdict) -> list[str]:
    if verdict.days_left is None:
        return []
    return [f"{verdict.days:.1f} days have passed; at the present rate it takes about {verdict.days_left:.0f} more"]


def _decided(client: Client, name: str, trial: Trial, verdict: Verdict) -> list[str]:
    if verdict.word == "better":
        aliases.promote(client, name, trial.version)
        on_trial.end(client, name, trial.version, on_trial.WON, verdict.sentence)
        return [f"version {trial.version} is {PRODUCTION}, {trial.against} was before"]
    if verdict.word in ("worse", "harmful"):
        on_trial.end(client, name, trial.version, on_trial.LOST, verdict.sentence)
        return [f"version {trial.version} is dropped; version {trial.against} stays {PRODUCTION}"]
    return ["nothing is decided yet"]
