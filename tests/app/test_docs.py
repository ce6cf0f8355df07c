import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app import errors
from app.errors import ModelError, ServiceError
from app.main import create_app
from app.model.release import Release
from app.model.store import load_model
from app.observability.telemetry import OK, Telemetry
from app.registry.follower import NOT_CHECKED
from app.settings import Settings
from tests.app.conftest import offline_settings
from tests.artifacts import write
from tests.processes import PROJECT

PAGE = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
OPERATION = (PROJECT / "docs" / "operation.md").read_text(encoding="utf-8")


def test_every_route_is_documented_and_nothing_else(tmp_path: Path) -> None:
    settings = offline_settings(tmp_path).model_copy(update={"admin_token": SecretStr("token")})
    paths = create_app(settings).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)) == routes


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    field = Settings.model_fields[name]
    default = "unset" if field.default is None else f"`{field.default}`"
    assert f"| `{name.upper()}` | {default} | {field.description} |" in PAGE


def test_no_setting_is_documented_that_does_not_exist() -> None:
    settings = PAGE.partition("## Settings")[2]
    assert re.findall(r"^\| `(\w+)`", settings, re.MULTILINE) == [name.upper() for name in Settings.model_fields]


def test_every_error_that_a_route_declares_is_documented() -> None:
    declared = [error for error in ServiceError.__subclasses__() if error is not errors.FrameworkError]
    for error in declared:
        assert f"| {error.status} | `{error.code}` |" in PAGE


def test_every_registry_status_is_documented() -> None:
    codes = {OK, NOT_CHECKED, ModelError.code, *(error.code for error in ModelError.__subclasses__())}
    table = PAGE.partition("| `status` |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == codes


def test_every_metric_is_documented_and_no_other(tmp_path: Path) -> None:
    events = SecretStr(f"sqlite:///{tmp_path}/events.db")
    settings = offline_settings(tmp_path).model_copy(update={"shadow_alias": "challenger", "events_url": events})
    telemetry: Telemetry = create_app(settings).state.telemetry
    model = load_model(write(tmp_path / "served"), Release("1", 0, ""))
    telemetry.served(model, "personalised", [0], 1)
    telemetry.model.swapped(model)
    telemetry.served(model, "personalised", [0], 1)
    families = {f"{family.name}{'_total' * (family.type == 'counter')}" for family in telemetry.collectors.collect()}
    ours = {name for name in families if name.startswith("recommender_")}
    documented = set(re.findall(r"^\| `(recommender_\w+)` \|", OPERATION, re.MULTILINE))
    documented = {name for name in documented if not name.startswith(("recommender_retrain_", "recommender_trial_"))}
    like_the_model_s = ("recommender_shadow_model_", "recommender_challenger_model_")
    assert documented == {name for name in ours if not name.startswith(like_the_model_s)}
