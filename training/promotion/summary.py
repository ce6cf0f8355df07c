"""The outcome of `register` as a short table."""

from training.promotion.registration import Registration

OPPONENTS = (("popularity", "gain_over_popularity"), ("live", "gain_over_live"))


def registration_table(registration: Registration) -> str:
    """Say what was registered, how it compares and what the gate decided."""
    version = f"version {registration.version}" if registration.version else "not registered"
    head = f"{registration.name} {version} ({registration.recipe.family}): {registration.decision}"
    verdict = registration.verdict
    if verdict is None:
        return f"{head}, decided before; nothing to do"
    lines = [head, f"  {registration.metric:<12}{'mean':>8}   difference to the candidate"]
    if "candidate" in verdict.figures:
        lines.append(f"  {'candidate':<12}{verdict.figures['candidate']:>8.4f}")
    for opponent, gain in OPPONENTS:
        if opponent in verdict.figures:
            lines.append(f"  {opponent:<12}{verdict.figures[opponent]:>8.4f}   {_difference(verdict.figures, gain)}")
    return "\n".join([*lines, f"  {verdict.reason}"])


def _difference(figures: dict[str, float], gain: str) -> str:
    if gain not in figures:
        return ""
    return f"{figures[gain]:+.4f} [{figures[f'{gain}_low']:+.4f}, {figures[f'{gain}_high']:+.4f}]"
