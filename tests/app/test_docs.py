import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app import errors
from app.contract.events import MAX_ID_LENGTH
from app.contract.similarity import DIVERSITY_CANDIDATES
from app.errors import ServiceError
from app.events.profiles import KEPT
from app.events.writer import PATIENCE_SECONDS
from app.http.body_limit import SMALL_BODY_BYTES
from app.http.patience import CLIENT_SECONDS
from app.http.protocol import MAX_ADDRESS_BYTES, MAX_PIPELINED
from app.http.read_after import READ_AFTER_SECONDS
from app.main import create_app
from app.model.errors import ModelError
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from app.observability.recent_figures import STEP_SECONDS, STEPS
from app.observability.served_lists import LISTS, PLACES, NotedList
from app.observability.telemetry import OK, Telemetry
from app.registry.follower import NOT_CHECKED
from app.schemas.bodies import Body
from app.schemas.events import EventsRequest
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
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    default = "unset" if default is None else f"`{default}`"
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


TRAINING_S = ("recommender_retrain_", "recommender_trial_", "recommender_pleased_")


def test_every_metric_is_documented_and_no_other(tmp_path: Path) -> None:
    events = SecretStr(f"sqlite:///{tmp_path}/events.db")
    settings = offline_settings(tmp_path).model_copy(update={"trial_share": 0, "events_url": events})
    telemetry: Telemetry = create_app(settings).state.parts.telemetry
    model = load_model(write(tmp_path / "served"), RegisteredVersion("1", 0, ""))
    telemetry.served(model, "personalised", NotedList.of([0]))
    telemetry.model.swapped(model)
    telemetry.served(model, "personalised", NotedList.of([0]))
    families = {f"{family.name}{'_total' * (family.type == 'counter')}" for family in telemetry.collectors.collect()}
    ours = {name for name in families if name.startswith("recommender_")}
    documented = set(re.findall(r"^\| `(recommender_\w+)` \|", OPERATION, re.MULTILINE))
    documented = {name for name in documented if not name.startswith(TRAINING_S)}
    like_the_model_s = "recommender_challenger_model_"
    assert documented == {name for name in ours if not name.startswith(like_the_model_s)}


@pytest.mark.parametrize(
    ("page", "promise"),
    [
        ("api", f"in the last {STEPS * STEP_SECONDS / 60:g} minutes, in steps of {STEP_SECONDS:g} seconds"),
        ("api", f"at most the last {LISTS:,} of the loaded version"),
        ("api", f"among the {DIVERSITY_CANDIDATES} best films"),
        ("api", f"An id has at most {MAX_ID_LENGTH} characters, as in training."),
        ("operation", f"the last {LISTS:,} of this model, with their last {PLACES:,} films"),
        ("operation", f"| {CLIENT_SECONDS:g} s until a request is whole"),
        ("operation", f"| {(MAX_ADDRESS_BYTES + 1) / 1024:g} KiB of address |"),
        ("operation", f"| {MAX_PIPELINED} requests sent before the first is answered |"),
        ("operation", f"A body of more than {SMALL_BODY_BYTES / 1024:g} KiB is read in a thread"),
        ("operation", f"holds at most {Body.max_values:,} values; one of events, {EventsRequest.max_values:,}."),
        ("freshness", f"the process waits up to {1000 * READ_AFTER_SECONDS:g} ms"),
        ("freshness", f"; {KEPT:,} profiles are kept for each model"),
        ("architecture", f"or is 503 after {PATIENCE_SECONDS:g} seconds"),
    ],
)
def test_a_number_that_a_page_promises_is_that_of_the_program(page: str, promise: str) -> None:
    text = (PROJECT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert promise in " ".join(text.split())
