"""A trial as clients see it: a real registry, a real store, and one process or two."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.contract.placement_trial import PlacementTrial
from app.contract.recommendation_id import read_id
from app.contract.trial import VERDICT, Arm, Trial, gain_tags
from app.events import flushed
from app.events.open_store import open_store
from app.events.placements import Placements
from app.settings import Settings
from tests.app.routes.test_item_changes import Editing
from tests.artifacts import damage, make_artifact, write
from tests.client import Answer, Client, serving, without_id
from tests.conftest import MakeSettings
from tests.metrics import samples
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import wait_for_polls

USERS = [str(number) for number in range(1, 41)]
FOR_THE_ROUTE = "&exclude=" + "x" * 600
QUERIES = ("", f"?k=3{FOR_THE_ROUTE}")


def preferring(biases: list[int], **fields: Any) -> Artifact:
    scores = np.array(biases, dtype=np.float32) * 100
    return make_artifact([int(user) for user in USERS], dim=1, seen={0: [0]}, item_biases=scores, **fields)


@pytest.fixture
def trial(registry: TestRegistry, tmp_path: Path) -> Trial:
    """Version 1 is live and likes the first films best; 2, on trial, likes the last ones, and knows film 70 too."""
    registry.register(write(tmp_path / "1", preferring([6, 5, 4, 3, 2, 1])), alias="production")
    items = (10, 20, 30, 40, 50, 70)
    registry.register(write(tmp_path / "2", preferring([1, 2, 3, 4, 5, 6], item_ids=items)), alias="challenger")
    trial = Trial("2", "1", "the same users in every run", 0.5, time.time())
    begin(registry, trial)
    return trial


def begin(registry: TestRegistry, trial: Trial) -> None:
    for key, value in trial.tags().items():
        registry.client.set_model_version_tag(registry.name, trial.version, key, value)


@pytest.fixture
def settings(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setattr(flushed, "FLUSH_SECONDS", 0.05)
    url, keys = f"sqlite:///{tmp_path}/events.db", "ann:secret-of-ann"
    settings: Settings = make_settings(registry, events_url=url, catalogue_keys=keys, log_level="INFO")
    return settings


@pytest.fixture
def client(trial: Trial, settings: Settings) -> Iterator[Client]:
    with serving(settings) as running:
        begun(running)
        yield running


def tried(client: Client, version: str | None) -> Callable[[], bool]:
    """The condition that this version is loaded for a trial."""
    return lambda: loaded(client).get("challenger") == version


def begun(client: Client) -> None:
    """Return once the live version and the one on trial are loaded, and the poll that loaded it has ended."""
    wait_until(lambda: loaded(client) == {"production": "1", "challenger": "2"})
    looked = looks(client)
    wait_until(lambda: looks(client) > looked)


def looks(client: Client) -> float:
    """How often the service has looked for a version on trial."""
    return samples(client.get("/metrics").body.decode())["recommender_challenger_model_polls_total{status=ok}"]


def loaded(client: Client) -> dict[str, str]:
    return {each["alias"]: each["version"] for each in client.get("/versions").json["versions"]}


def ask(client: Client, user: str, query: str = "k=3") -> Answer:
    answer = client.get(f"/users/{user}/recommendations?{query}")
    assert answer.status == 200, answer.body
    return answer


def version_of(trial: Trial, user: str) -> str:
    return trial.version if trial.arm(user) is Arm.CHALLENGER else trial.against


def shown(settings: Settings) -> Counter[tuple[str, int, str]]:
    """Lists by user, arm and version, as the store has them."""
    assert settings.events_url is not None
    with closing(sqlite3.connect(settings.events_url.get_secret_value().removeprefix("sqlite:///"))) as store:
        rows = store.execute("SELECT user_id, arm, version, lists FROM exposure").fetchall()
    return sum((Counter({tuple(key): lists}) for *key, lists in rows), Counter())


def arm_lists(client: Client, placement: str = "") -> dict[str, float]:
    found = samples(client.get("/metrics").body.decode())
    prefix, end = "recommender_arm_lists_total{arm=", f",placement={placement}}}"
    return {
        name.removeprefix(prefix).removesuffix(end): value
        for name, value in found.items()
        if name.startswith(prefix) and name.endswith(end)
    }


def test_each_user_gets_the_version_of_their_arm_at_the_front_door_and_behind_it(
    client: Client, trial: Trial, settings: Settings
) -> None:
    for user in USERS:
        answers = [ask(client, user, query) for query in ("k=3", f"k=3{FOR_THE_ROUTE}", "k=3")]
        assert len({without_id(answer) for answer in answers}) == 1
        assert answers[0].json["model_version"] == version_of(trial, user)
        for answer in answers:
            name = answer.json["recommendation_id"]
            assert answer.headers["x-recommendation-id"] == name
            found = read_id(name)
            assert found is not None
            assert (found.version, found.arm) == (version_of(trial, user), trial.arm(user))
            assert found.is_for(user, trial.secret)
    expected = Counter({(user, int(trial.arm(user)), version_of(trial, user)): 3 for user in USERS})
    wait_until(lambda: shown(settings) == expected)
    assert {arm for _, arm, _ in expected} == {0, 1}


@pytest.mark.long
def test_every_kind_of_request_of_a_user_goes_to_their_arm_and_a_batch_counts_for_nobody(
    client: Client, trial: Trial, settings: Settings
) -> None:
    user = next(user for user in USERS if trial.arm(user) is Arm.CHALLENGER)
    for query in ("genre=Comedy&k=2", "explain=true", "include_seen=true", "diversity=0.5"):
        assert ask(client, user, query).json["model_version"] == "2"
    wait_until(lambda: shown(settings) == Counter({(user, 1, "2"): 4}))
    answers = client.post("/recommendations/batch", {"user_ids": USERS, "k": 3}).json["answers"]
    assert [answer["model_version"] for answer in answers] == [version_of(trial, each) for each in USERS]
    named = [read_id(answer["recommendation_id"]) for answer in answers]
    assert [each and each.arm for each in named] == [Arm.NONE] * len(USERS)
    assert {**answers[0], "recommendation_id": ""} == {**ask(client, USERS[0]).json, "recommendation_id": ""}
    wait_until(lambda: sum(shown(settings).values()) == 5)


@pytest.mark.long
def test_who_is_unknown_stays_on_the_live_version_outside_the_trial(client: Client, settings: Settings) -> None:
    answers = [
        *(
            client.get(f"/users/{user}/recommendations{query}")
            for user in ("41", "ann", "%E6%97%A5")
            for query in QUERIES
        ),
        client.post("/recommendations", {"liked": [10], "k": 2}),
        client.get("/items/popular?k=2"),
        client.get("/items/10/similar?k=2"),
        client.get(f"/users/{'x' * 201}/recommendations?k=2"),  # no event can name this user
        client.get("/users/a%00b/recommendations?k=2"),
        client.get(f"/users/{USERS[0]}/recommendations?k=2&alias=challenger"),
    ]
    for answer in answers:
        found = read_id(answer.json["recommendation_id"])
        assert found is not None
        assert (found.arm, found.version) == (Arm.NONE, answer.json["model_version"])
    assert [answer.json["model_version"] for answer in answers] == ["1"] * (len(answers) - 1) + ["2"]
    assert not shown(settings)


@pytest.mark.long
@pytest.mark.parametrize("query", ["k=3", "k=3&explain=true"])
def test_a_preview_shows_what_a_user_would_get_and_counts_for_nothing(
    client: Client, trial: Trial, settings: Settings, query: str
) -> None:
    for user in USERS:
        answer = ask(client, user, f"{query}&preview=true")
        assert answer.json["model_version"] == version_of(trial, user)
        found = read_id(answer.json["recommendation_id"])
        assert found is not None
        assert found.arm is Arm.NONE  # what is liked in this list does not count in the trial, either
    ask(client, next(user for user in USERS if trial.arm(user) is Arm.PRODUCTION), query)
    wait_until(lambda: sum(arm_lists(client).values()) == sum(shown(settings).values()) == 1)
    assert client.get("/status").json["recent_lists"]["lists"] == 1


@pytest.mark.long
def test_status_says_what_the_last_look_at_the_trial_found(
    client: Client, trial: Trial, registry: TestRegistry
) -> None:
    for name, value in {VERDICT: "no clear difference yet", **gain_tags((0.062, -0.011, 0.135))}.items():
        registry.client.set_model_version_tag(registry.name, trial.version, name, value)
    expected = {"value": 0.062, "low": -0.011, "high": 0.135}
    wait_until(lambda: client.get("/status").json["trial"]["gain"] == expected)
    assert client.get("/status").json["trial"]["verdict"] == "no clear difference yet"
    for name, value in gain_tags(None).items():
        registry.client.set_model_version_tag(registry.name, trial.version, name, value)
    wait_until(lambda: client.get("/status").json["trial"]["gain"] is None)


@pytest.mark.long
def test_all_replicas_split_alike_and_a_restart_changes_nobody_s_arm(
    client: Client, trial: Trial, settings: Settings
) -> None:
    with serving(settings) as another:
        begun(another)
        for user in USERS:
            assert ask(another, user).json["model_version"] == ask(client, user).json["model_version"]


@pytest.mark.long
def test_an_event_about_a_film_that_only_the_challenger_knows_is_stored(client: Client) -> None:
    said = [{"user_id": 1, "item_id": item, "type": "like"} for item in (10, 60, 70, 80)]
    assert client.post("/events", {"events": said}).json["unknown_items"] == ["80"]


@pytest.mark.long
def test_a_raised_share_moves_people_into_the_challenger_only(
    client: Client, trial: Trial, registry: TestRegistry
) -> None:
    before = {user for user in USERS if ask(client, user).json["model_version"] == "2"}
    registry.client.set_model_version_tag(registry.name, "2", "trial_share", "0.8")
    wait_for_polls(client, 4)
    after = {user for user in USERS if ask(client, user).json["model_version"] == "2"}
    assert before < after < set(USERS)


@pytest.mark.long
@pytest.mark.parametrize("end", ["tag", "promoted", "another live", "alias gone"])
def test_the_end_of_a_trial_gives_everybody_the_live_version_and_the_memory_back(
    client: Client, registry: TestRegistry, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app")
    live = "1"
    if end == "promoted":
        registry.move("production", live := "2")
    elif end == "another live":
        registry.move("production", live := registry.register())
    elif end == "alias gone":
        registry.client.delete_registered_model_alias(registry.name, "challenger")
    else:
        registry.client.set_model_version_tag(registry.name, "2", "trial", "lost")
    wait_until(lambda: client.version() == live)
    if end in ("alias gone", "tag"):
        wait_until(tried(client, None))
    assert {ask(client, user).json["model_version"] for user in USERS} == {live}
    said = "The trial has ended" if live == "1" else f"has ended: version {live} is live instead of version 1"
    wait_until(lambda: said in caplog.text)


def test_a_challenger_that_is_damaged_leaves_everybody_on_the_live_version_and_is_counted(
    trial: Trial, registry: TestRegistry, settings: Settings, tmp_path: Path
) -> None:
    damage(write(tmp_path / "damaged", make_artifact(seed=5)) / "item_biases.npy")
    version = registry.register(tmp_path / "damaged", alias="challenger")
    damaged = Trial(version, "1", f"{registry.name}:{version}", 0.5, time.time())
    begin(registry, damaged)
    with serving(settings) as client:
        refused = "recommender_challenger_model_swap_failures_total{code=artifact_refused}"
        wait_until(lambda: samples(client.get("/metrics").body.decode())[refused] == 1)
        wait_until(lambda: client.version() == "1")
        before = arm_lists(client)
        assert {ask(client, user).json["model_version"] for user in USERS} == {"1"}
        theirs = sum(damaged.arm(user) is Arm.CHALLENGER for user in USERS)
        assert arm_lists(client) == {"production": 0, "challenger": 0, "fallback": before["fallback"] + theirs}
        found = read_id(ask(client, USERS[0]).json["recommendation_id"])
        assert found is not None
        assert found.arm is Arm.NONE
    assert not shown(settings)


@pytest.mark.long
@pytest.mark.parametrize(
    ("fields", "versions"),
    [({"trial_share": 0}, {"production": "1", "challenger": "2"}), ({"events_url": None}, {"production": "1"})],
)
def test_a_service_without_trials_gives_everybody_the_live_version(
    trial: Trial, settings: Settings, fields: dict[str, object], versions: dict[str, str]
) -> None:
    with serving(settings.model_copy(update=fields)) as client:
        wait_until(lambda: loaded(client) == versions)
        assert {ask(client, user).json["model_version"] for user in USERS} == {"1"}
        assert client.get("/status").json["trial"] is None
        assert ("recommendation_id" in ask(client, "1").json) == ("events_url" not in fields)
    assert "events_url" in fields or not shown(settings)


@pytest.mark.long
def test_the_setting_goes_before_the_trial_s_own_share(trial: Trial, settings: Settings) -> None:
    with serving(settings.model_copy(update={"trial_share": 0.99})) as client:
        begun(client)
        versions = Counter(ask(client, user).json["model_version"] for user in USERS)
        assert versions["2"] >= 38


@pytest.mark.long
def test_a_spoilt_tag_is_no_trial_and_said_once(
    trial: Trial, registry: TestRegistry, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    registry.client.set_model_version_tag(registry.name, "2", "trial_share", "half")
    with serving(settings) as client:
        wait_until(lambda: client.version() == "1")
        wait_for_polls(client, 5)
        assert {ask(client, user).json["model_version"] for user in USERS} == {"1"}
    assert caplog.text.count("There is no trial: Version 2 is on trial, but trial_share or trial_since") == 1


def test_the_status_shows_the_running_trial_and_its_arms(client: Client, trial: Trial) -> None:
    for user in USERS:
        ask(client, user)
    theirs = sum(trial.arm(user) is Arm.CHALLENGER for user in USERS)
    lists = {"production": 40 - theirs, "challenger": theirs, "fallback": 0}
    expected = {"challenger": "2", "production": "1", "share": 0.5, "lists": lists, "verdict": None, "gain": None}
    wait_until(lambda: client.get("/status").json["trial"] == expected)


def on_trial(settings: Settings) -> Mapping[str, PlacementTrial]:
    """The trials of placements, as the store has them."""
    assert settings.store_address is not None
    placements = Placements()
    with closing(open_store(settings.store_address)) as store:
        placements.add(store.read_changes_after(0, 100))
    return placements.trials


def test_a_trial_of_placements_goes_on_beside_that_of_versions_and_each_counts_its_own_lists(
    client: Client, trial: Trial, settings: Settings
) -> None:
    for name, rules in [("home-b", {"k": 2}), ("home", {"k": 3, "trial": {"against": "home-b", "share": 0.5}})]:
        assert Editing(client).send("PUT", f"/placements/{name}", rules).status == 200
    home = on_trial(settings)["home"]
    expected = Counter[tuple[str, int, str]]()
    for user in USERS:
        arm, version = home.arm(user), version_of(trial, user)
        answer = ask(client, user, "placement=home")
        assert (answer.json["placement"], len(answer.json["items"])) == (home.rules_of(arm), 3 - arm)
        assert answer.json["model_version"] == version
        found = read_id(answer.json["recommendation_id"])
        assert found is not None
        assert (found.version, found.arm, found.placed) == (version, trial.arm(user), arm)
        assert found.is_for(user, home.secret)
        expected += Counter({(user, int(trial.arm(user)), version): 1})
        expected += Counter({(user, int(arm), version): 1})
    wait_until(lambda: shown(settings) == expected)
    theirs = sum(home.arm(user) is Arm.CHALLENGER for user in USERS)
    assert arm_lists(client, "home") == {"production": len(USERS) - theirs, "challenger": theirs}
    batch = client.post("/recommendations/batch", {"user_ids": [*USERS, "ann"], "placement": "home"}).json["answers"]
    uncounted = [ask(client, user, "placement=home&preview=true").json for user in USERS]
    for user, *answers in zip(USERS, batch, uncounted, strict=False):
        assert [each["placement"] for each in answers] == [home.rules_of(home.arm(user))] * 2
        named = [read_id(each["recommendation_id"]) for each in answers]
        assert [each and each.placed for each in named] == [Arm.NONE] * 2
    tried = next(user for user in USERS if home.arm(user) is Arm.CHALLENGER)
    apart = (
        ask(client, tried, "placement=home&alias=challenger"),
        client.get("/users/ann/recommendations?placement=home"),
    )
    assert [batch[-1]["placement"], *(each.json["placement"] for each in apart)] == ["home"] * 3
    assert Editing(client).send("DELETE", "/placements/home-b").status == 200
    assert ask(client, tried, "placement=home").json["placement"] == "home"
    expected += Counter({(tried, int(trial.arm(tried)), version_of(trial, tried)): 1})
    [warning] = Editing(client).send("GET", "/placements/home").json["warnings"]
    assert warning["message"] == "It does not run: against is 'home-b', and there is no such placement."
    wait_until(lambda: shown(settings) == expected)
