"""The result of a search as a short table."""

from optuna.trial import FrozenTrial, TrialState

from training.tuning.search import Search


def search_table(search: Search, applied: bool) -> str:
    """Compare the best attempt with today's parameters, and say what to do now."""
    best, today = search.best(), search.today()
    states = [attempt.state for attempt in search.attempts()]
    counts = f"{states.count(TrialState.PRUNED)} pruned, {states.count(TrialState.FAIL)} failed"
    users = len(search.validation.targets.user_rows)
    head = f"{search.title}: {len(states)} attempts, {counts}; {users} users of validation"
    if best is None:
        return f"{head}\n  no attempt is complete"
    rows = [("", "today", f"attempt {best.number + 1}"), (search.metric, _metric(today), _metric(best))]
    chosen = search.better_params() or search.searched_today
    changes = {key: "" if chosen[key] == now else str(chosen[key]) for key, now in search.searched_today.items()}
    rows += [(key, str(now), changes[key]) for key, now in search.searched_today.items()]
    lines = [f"  {label:<18}{now:>12}{then:>14}" for label, now, then in rows]
    return "\n".join([head, *lines, f"  {_advice(search, applied)}"])


def _metric(attempt: FrozenTrial | None) -> str:
    return "not tried" if attempt is None or attempt.value is None else f"{attempt.value:.4f}"


def _advice(search: Search, applied: bool) -> str:
    if search.better_params() is None:
        return "nothing better than today's parameters was found"
    if applied:
        return f"models.{search.name} in params.yaml has them now; run: dvc repro"
    return "the same command with --apply writes them into params.yaml"
