"""The list of families."""

from pathlib import Path

from tests.training.world import ROOT
from training.models.families import FAMILIES


def test_every_family_has_a_test_file_with_the_battery_and_a_section_in_the_documentation() -> None:
    page = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    for name in FAMILIES:
        tests = Path(__file__).with_name(f"test_{name}.py").read_text(encoding="utf-8")
        assert f'(FamilyBattery):\n    name = "{name}"' in tests
        assert f"## `models.{name}`" in page
