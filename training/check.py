"""The `check` command: looks at the parameters of model families, which each family itself knows."""

from collections.abc import Iterable

from training.errors import ParamsError
from training.models import make_family, place_of
from training.params.refit import RefitStage


def check_families(params: RefitStage, names: Iterable[str]) -> None:
    """Check that every candidate is a family with a section, and the parameters of these families.

    Raises ParamsError, and TrainingError where the library of one can't be imported.
    """
    for candidate in params.candidates:
        place_of(candidate)
        if candidate not in params.models:
            raise ParamsError(
                f"params.yaml: candidates: {candidate!r} has no parameters: add models.{candidate} ({{}} for none)"
            )
    for name in names:
        make_family(name, params.models[name])
