import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact_directory import content_hash
from tests.training.world import change_params, make_project
from training.fitting.kept_fits import NEWEST, KeptFits
from training.models.base import Factors
from training.models.implicit_als import ImplicitALS
from training.models.lightfm import LightFM
from training.models.popularity import Popularity
from training.params.whole import Params
from training.project import Project
from training.train import train

SMALL: dict[str, Any] = {
    "candidates": ["implicit_als", "blend", "lightfm", "ease"],
    "models__implicit_als__embedding_size": 4,
    "models__lightfm__embedding_size": 4,
    "models__lightfm__init": "random",
    "models__lightfm__epochs": 3,
    "models__lightfm__encode_users": True,
    "models__blend": {"members": {"implicit_als": {}, "lightfm": {}}, "weights": None, "embedding_size": None},
}


@pytest.fixture
def world(tmp_path: Path) -> tuple[Project, Params]:
    return make_project(tmp_path, **SMALL)


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the families that are really fitted."""
    names: list[str] = []

    def count(family: type, name: str) -> None:
        fit = family.fit  # type: ignore[attr-defined]

        def counting(self: object, *arguments: object) -> Factors:
            names.append(name)
            made: Factors = fit(self, *arguments)
            return made

        monkeypatch.setattr(family, "fit", counting)

    count(ImplicitALS, "implicit_als")
    count(LightFM, "lightfm")
    return names


def run(world: tuple[Project, Params], *candidates: str) -> list[str]:
    project, params = world
    for candidate in candidates:
        train(project, params, candidate, params.shared_members)
    return [content_hash(project.model(candidate)) for candidate in candidates]


def test_members_of_a_blend_that_are_candidates_are_shared(world: tuple[Project, Params]) -> None:
    _, params = world
    assert params.shared_members == {"implicit_als", "lightfm"}
    assert params.model_copy(update={"candidates": ("blend", "ease")}).shared_members == set()
    assert params.model_copy(update={"candidates": ("lightfm", "ease")}).shared_members == set()


@pytest.mark.long
def test_a_candidate_that_is_a_member_too_is_fitted_once_in_either_order(
    tmp_path: Path, world: tuple[Project, Params], fitted: list[str]
) -> None:
    members = run(world, "implicit_als", "lightfm")
    once = [*fitted]
    (blend,) = run(world, "blend")
    assert fitted == once == ["implicit_als", "implicit_als", "lightfm", "lightfm"]  # with validation and whole
    other = make_project(tmp_path / "other order", **SMALL)
    assert run(other, "blend", "implicit_als", "lightfm") == [blend, *members]
    assert sorted(fitted) == sorted([*once, *once])


@pytest.mark.long
def test_what_is_found_again_equals_what_is_fitted_anew(tmp_path: Path, world: tuple[Project, Params]) -> None:
    found = run(world, "lightfm", "implicit_als", "blend")
    project, params = make_project(tmp_path / "apart", **SMALL)
    for candidate in ("lightfm", "implicit_als", "blend"):
        train(project, params, candidate)
    assert [content_hash(project.model(name)) for name in ("lightfm", "implicit_als", "blend")] == found
    for name in ("lightfm", "blend"):
        assert project.training(name).read_bytes() == world[0].training(name).read_bytes()
        assert project.plot("learning", name).read_bytes() == world[0].plot("learning", name).read_bytes()
    assert not project.fits.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    "changes",
    [
        {"models__lightfm__epochs": 2},
        *(
            pytest.param(changes, marks=pytest.mark.long)
            for changes in ({"seed": 7}, {"threads": 2}, {"select__metric": "recall@10"})
        ),
    ],
)
def test_a_fit_from_something_else_is_not_taken(
    changes: dict[str, Any], world: tuple[Project, Params], fitted: list[str]
) -> None:
    run(world, "lightfm")
    run((world[0], change_params(world[0], **SMALL | changes)), "lightfm")
    assert fitted == ["lightfm"] * 4


def test_changed_code_is_fitted_anew(world: tuple[Project, Params], fitted: list[str]) -> None:
    code = world[0].root / "training" / "models" / "lightfm.py"
    code.parent.mkdir(parents=True)
    for text in ("size = 1", "size = 2", "size = 1"):
        code.write_text(text)
        run(world, "lightfm")
    assert fitted == ["lightfm"] * 4


@pytest.mark.long
def test_what_nobody_shares_is_not_kept(world: tuple[Project, Params]) -> None:
    run(world, "ease")
    assert not world[0].fits.exists()


@pytest.mark.long
def test_a_damaged_file_is_said_and_fitted_again(
    world: tuple[Project, Params], fitted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(world, "implicit_als")
    for file in world[0].fits.iterdir():
        file.write_bytes(b"PK no archive")
    capsys.readouterr()
    assert run(world, "implicit_als") == before
    assert (
        len(re.findall(r"implicit_als: .*\.npz can't be read \(.*\), so it is fitted again", capsys.readouterr().err))
        == 2
    )
    assert run(world, "implicit_als") == before
    assert fitted == ["implicit_als"] * 4


@pytest.mark.long
def test_the_log_says_what_was_taken_and_its_time_counts(
    world: tuple[Project, Params], capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, "lightfm")
    (kept, _) = sorted(world[0].fits.iterdir())
    with np.load(kept) as file:
        content = dict(file)
    facts = json.loads(str(content.pop("facts")))
    np.savez(kept, facts=np.array(json.dumps(facts | {"seconds": 1000.0})), **content)
    run(world, "lightfm")
    assert "lightfm: fitted before to the same data, in 1000 s; taken from" in capsys.readouterr().err
    assert json.loads(world[0].seconds("lightfm").read_text())["fit_seconds"] > 1000


def test_only_the_newest_are_kept(world: tuple[Project, Params]) -> None:
    project, _ = world
    users, items = np.zeros((2, 1), dtype=np.float32), np.zeros((3, 1), dtype=np.float32)
    factors = Factors(users, items, users[:, 0], items[:, 0])
    family = Popularity()
    for number in range(NEWEST + 2):
        KeptFits(project, {"popularity"}, {"seed": number}).whole("popularity", family, lambda: factors)
    assert len(list(project.fits.iterdir())) == NEWEST
    for number, kept in ((2, True), (0, False)):
        fits = KeptFits(project, {"popularity"}, {"seed": number})
        fits.whole("popularity", family, lambda: factors)
        assert (fits.seconds_saved > 0) == kept
