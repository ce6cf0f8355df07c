"""The section `select`, and all that `train` reads."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from training.params.section import AtLeastOne, Section, Seed


def with_whole_members(models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give each member of a blend the parameters of its own section that it doesn't have itself."""

    def whole(section: dict[str, Any]) -> dict[str, Any]:
        members = section.get("members")
        if not isinstance(members, dict):
            return section
        own = {name: {**models.get(name, {}), **params} for name, params in members.items() if isinstance(params, dict)}
        return {**section, "members": {**members, **own}}

    return {name: whole(section) for name, section in models.items()}


class SelectParams(Section):
    """By which metric epochs, candidates and the live version are chosen."""

    metric: str
    validation_users: Annotated[int, Field(ge=100)]
    seeds: AtLeastOne


class TrainStage(Section):
    """The sections that `train` reads. `models` holds a mapping per family, which the family itself checks."""

    seed: Seed
    threads: AtLeastOne
    models: Annotated[dict[str, dict[str, Any]], AfterValidator(with_whole_members)]
    select: SelectParams
