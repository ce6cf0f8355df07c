import pytest

from app.contract.alias import resolve_alias

DISAGREE = "The alias exists in several spellings ({}); {!r} is followed."


@pytest.mark.parametrize(
    ("aliases", "version", "warning"),
    [
        ({"production": "1"}, "1", None),
        ({"Production": "2"}, "2", None),
        ({"PRODUCTION": "3", "champion": "1"}, "3", None),
        ({"Production": "4", "production": "4"}, "4", None),
        # MLflow's clients give numbers where its REST API gives text.
        ({"Production": 5}, "5", None),
        (
            {"Production": "3", "production": "2"},
            "2",
            DISAGREE.format("'Production' on version 3, 'production' on version 2", "production"),
        ),
        (
            {"Production": "2", "PRODUCTION": "1"},
            "1",
            DISAGREE.format("'PRODUCTION' on version 1, 'Production' on version 2", "PRODUCTION"),
        ),
    ],
)
@pytest.mark.parametrize("alias", ["production", "Production"])
def test_an_alias_is_found_in_any_spelling(
    aliases: dict[str, str], version: str, warning: str | None, alias: str
) -> None:
    assert resolve_alias(aliases, alias) == (version, warning)


def test_a_missing_alias_is_none() -> None:
    assert resolve_alias({"champion": "1"}, "production") is None
