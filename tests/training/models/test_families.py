"""The list of families."""

from pathlib import Path

import pytest

from tests.training.world import ROOT
from training.errors import ParamsError, TrainingError
from training.models import make_family
from training.models.families import FAMILIES
from training.params.whole import load_params

LATER: dict[str, dict[str, object]] = {
    "ease": {
        "user_power": 0.0, "item_power": 0.0, "output_power": 0.0, "recency_power": 0.0, "validate_rule": False,
    },
    "implicit_als": {"validate_rule": False, "frequency_power": 0.0, "recency_power": 0.0},
    "lightfm": {"init": "random", "seeds": 1, "encode_users": False, "recency_power": 0.0, "validate_size": False},
    "sklearn_svd": {"recency_power": 0.0},
    "blend": {"embedding_size": None},
}  # fmt: skip
"""Parameters that recipes of older versions lack, with what these versions did."""


def test_every_family_has_a_test_file_with_the_battery_and_a_section_in_the_documentation() -> None:
    page = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    for name in FAMILIES:
        tests = Path(__file__).with_name(f"test_{name}.py").read_text(encoding="utf-8")
        assert f'(FamilyBattery):\n    name = "{name}"' in tests
        assert f"## `models.{name}`" in page


@pytest.mark.long
@pytest.mark.parametrize("name", LATER)
def test_a_recipe_of_an_older_version_means_what_it_meant_then(name: str) -> None:
    params = load_params(ROOT / "params.yaml").models[name]
    older = make_family(name, {key: value for key, value in params.items() if key not in LATER[name]})
    assert {key: getattr(older, key) for key in LATER[name]} == LATER[name]


def test_a_family_that_is_unknown_or_lacks_its_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: 'eas' is not a model family; known are lightfm, "):
        make_family("eas", {})
    monkeypatch.setitem(FAMILIES, "absent", "no_such_library.module:Absent")
    with pytest.raises(TrainingError, match="the library of the model family 'absent' can't be imported: No module"):
        make_family("absent", {})
