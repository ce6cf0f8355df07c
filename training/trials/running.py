"""Judges the running trial, publishes the verdict, and ends the trial if asked to."""

import time
from dataclasses import replace
from pathlib import Path

from app.contract.alias import PRODUCTION
from app.contract.trial import Trial, gain_tags
from training.data.events.snapshot import snapshot
from training.files import replacing
from training.params.whole import Params
from training.project import Project
from training.report.html import to_html
from training.tracking import aliases, on_trial
from training.tracking.connection import Client, connect
from training.trials.attribution import observe
from training.trials.page import lay_out
from training.trials.records import kept_events, read_records, share_of
from training.trials.verdict import Verdict, judge


def judge_running(project: Project, params: Params, *, decide: bool) -> tuple[Verdict | None, list[str]]:
    """Judge the running trial, write its page and tags; with `decide`, promote or drop the challenger if that is due.

    Return the verdict, None where no trial runs, and what happened in sentences. Raises DataError where the store can't
    be read, TrackingError where MLflow can't be reached or refuses.
    """
    client, name = connect(project.root, params.registration.experiment), params.registration.name
    ended = [*filter(None, [aliases.follow(client, name)]), *on_trial.end_overtaken(client, name)]
    trial = on_trial.running(client, name)
    if trial is None:
        return None, [*ended, "no trial is running"]
    now = time.time()
    verdict = _judged(project, params, trial, now)
    page = _write_page(project, params, verdict, now)
    on_trial.show(client, name, trial, verdict.sentence, gain_tags(verdict.gain), page)
    said = [*ended, verdict.sentence, *_time_left(verdict)]
    return verdict, [*said, *_decided(client, name, verdict)] if decide else said


def _judged(project: Project, params: Params, trial: Trial, now: float) -> Verdict:
    with snapshot(kept_events(project.root)) as store:
        records = read_records(store, trial)
    if records.experiment:
        trial = replace(trial, share=share_of(records.experiment))
    registration = params.registration
    observations = observe(records, trial, registration.trial.success, params.event_types)
    return judge(trial, records, observations, registration.trial, registration.gate.confidence, now)


def _write_page(project: Project, params: Params, verdict: Verdict, now: float) -> Path:
    content = to_html(lay_out(verdict, params.registration.gate.confidence, now))
    with replacing(project.trial) as partial:
        partial.write_text(content, encoding="utf-8")
    return project.trial


def _time_left(verdict: Verdict) -> list[str]:
    if verdict.days_left is None:
        return []
    return [f"{verdict.days:.1f} days have passed; at the present rate it takes about {verdict.days_left:.0f} more"]


def _decided(client: Client, name: str, verdict: Verdict) -> list[str]:
    trial = verdict.trial
    if verdict.word == "better":
        aliases.promote(client, name, trial.version)
        on_trial.end(client, name, trial.version, on_trial.WON, verdict.sentence)
        return [f"version {trial.version} is {PRODUCTION}, {trial.against} was before"]
    if verdict.word in ("worse", "harmful"):
        on_trial.end(client, name, trial.version, on_trial.LOST, verdict.sentence)
        return [f"version {trial.version} is dropped; version {trial.against} stays {PRODUCTION}"]
    return ["nothing is decided yet"]
