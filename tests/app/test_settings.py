from pathlib import Path

import pytest
from pydantic import ValidationError

from app.setting_types import comma_separated
from app.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_every_setting_has_a_default() -> None:
    settings = Settings.from_environment()
    assert settings.mlflow_tracking_uri == "http://127.0.0.1:5000"
    assert (settings.model_name, settings.model_alias) == ("movie-recommender", "production")
    assert (settings.model_poll_seconds, settings.registry_timeout_seconds) == (10, 5)
    assert settings.model_cache_dir == Path(".cache/models")
    assert (settings.log_level, settings.log_format) == ("INFO", "plain")
    assert (settings.api_keys, settings.admin_token, settings.cors_origins) == (None, None, None)
    assert settings.drain_seconds == 0
    assert settings.trial_share is None
    assert (settings.metrics_port, settings.metrics_host) == (None, "127.0.0.1")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_POLL_SECONDS", "0.5")
    monkeypatch.setenv("MODEL_CACHE_DIR", "/var/cache/with space")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    settings = Settings.from_environment()
    assert (settings.model_poll_seconds, settings.log_level, settings.log_format) == (0.5, "DEBUG", "json")
    assert settings.model_cache_dir == Path("/var/cache/with space")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_NAME", "")
    assert Settings.from_environment().model_name == "movie-recommender"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODEL_POLL_SECONDS", "0"),
        ("MODEL_POLL_SECONDS", "-1"),
        ("MODEL_POLL_SECONDS", "soon"),
        ("MODEL_POLL_SECONDS", "nan"),
        ("MODEL_POLL_SECONDS", "inf"),
        ("REGISTRY_TIMEOUT_SECONDS", "0"),
        ("REGISTRY_TIMEOUT_SECONDS", "0.5"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("CORS_ORIGINS", "films.example"),
        ("CORS_ORIGINS", "https://films.example/page"),
        ("IMAGE_ORIGINS", "https://films.example; script-src"),
        ("METRICS_PORT", "0"),
        ("METRICS_PORT", "65536"),
        ("DRAIN_SECONDS", "-1"),
        ("TRIAL_SHARE", "-0.1"),
        ("TRIAL_SHARE", "1"),
        ("MODEL_NAME", "../elsewhere"),
        ("MODEL_NAME", ".."),
        ("MODEL_ALIAS", "a/b"),
        ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/absent.pem"),
        ("MLFLOW_TRACKING_SERVER_CERT_PATH", __file__),
        ("MLFLOW_TRACKING_CLIENT_CERT_PATH", __file__),
    ],
)
def test_a_bad_value_is_refused_naming_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^The environment variable {variable} is '{value}': .*[.]$"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_KEYS", " , "),
        ("API_KEYS", "secret\udcff"),
        ("EVENTS_KEYS", "secret\udcff"),
        ("ADMIN_TOKEN", " "),
        ("ADMIN_TOKEN", "a\nb"),
        ("ADMIN_TOKEN", "secret\udcff"),
        ("MLFLOW_TRACKING_TOKEN", "secret\n."),
        ("MLFLOW_TRACKING_TOKEN", "secret\udcff"),
        ("MLFLOW_TRACKING_PASSWORD", "secret\udcff"),
        ("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"),
        ("MLFLOW_TRACKING_URI", "127.0.0.1:5000"),
        ("MLFLOW_TRACKING_URI", "http//ann:secret@host"),
        ("MLFLOW_TRACKING_URI", "http://ann:secret/@host"),
        ("MLFLOW_TRACKING_URI", "http://ann:secret@@host"),
        ("MLFLOW_TRACKING_URI", "http://ann:secret"),
        ("MLFLOW_PAGE_URI", "http://ann:secret @host"),
        ("EVENTS_URL", "postgresql://ann:secret@@host/events"),
        ("EVENTS_URL", "postgresql://ann:secret%@host/events"),
        ("EVENTS_URL", "postgresql://ann:secret @host/events"),
        ("EVENTS_URL", "postgresql://ann:secret/@host/events"),
        ("EVENTS_URL", "postgresql://ann:secret\udcff@host/events"),
    ],
)
def test_a_bad_secret_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^The environment variable {variable} is invalid: .*[.]$") as caught:
        Settings.from_environment()
    assert repr(value) not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_end_of_the_line_that_a_secret_was_read_from_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD", "ADMIN_TOKEN"):
        monkeypatch.setenv(variable, "secret\r\n")
    settings = Settings.from_environment()
    for secret in (settings.mlflow_tracking_token, settings.mlflow_tracking_password, settings.admin_token):
        assert secret is not None
        assert secret.get_secret_value() == "secret"


def test_lists_are_separated_by_commas() -> None:
    assert comma_separated(" one,two , ,three,") == ["one", "two", "three"]


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.setenv("MODEL_POLL_SECONDS", "0")
    with pytest.raises(SettingsError, match=r"MODEL_POLL_SECONDS .* LOG_LEVEL"):
        Settings.from_environment()


def test_settings_do_not_change() -> None:
    settings = Settings.from_environment()
    with pytest.raises(ValidationError, match="frozen"):
        settings.model_name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("value", ["events.db", "sqlite:///", "postgres://u:secret@h/d", "postgresql://"])
def test_an_address_of_events_of_another_kind_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("EVENTS_URL", value)
    with pytest.raises(SettingsError, match=r"EVENTS_URL is invalid: .* it must be ") as error:
        Settings.from_environment()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("value", "store"), [("", "sqlite:///events.db"), ("sqlite:///a.db", "sqlite:///a.db")])
def test_events_are_in_the_project_s_folder_unless_another_store_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str, store: str
) -> None:
    monkeypatch.setenv("EVENTS_URL", value)
    url = Settings.from_environment().events_url
    assert url is not None
    assert url.get_secret_value() == store


def test_events_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_URL", "off")
    assert Settings.from_environment().events_url is None


def test_the_address_of_events_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_URL", "postgresql://service:secret@db/events")
    assert "secret" not in repr(Settings.from_environment())


@pytest.mark.parametrize("variable", ["SHADOW_ALIAS", "SHADOW_SHARE"])
def test_a_variable_of_a_former_release_is_refused_with_what_to_write_now(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    assert Settings.from_environment()
    monkeypatch.setenv(variable, "challenger")
    with pytest.raises(SettingsError, match=f"{variable} has gone: .* the alias challenger, and write TRIAL_SHARE=0"):
        Settings.from_environment()
