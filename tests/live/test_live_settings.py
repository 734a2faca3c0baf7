"""Where live settings come from, and what is not let through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.live.session.plan import Plan
from aepmock.live.settings import LiveSettings, missing, missing_credentials, resolve_live
from aepmock.settings import read_live_table, resolve

SECRET = "p8e-a-secret-of-mine"


def resolved(
    tmp_path: Path,
    environment: dict[str, str] | None = None,
    *,
    table: dict[str, Any] | None = None,
    **flags: Any,
) -> LiveSettings:
    given = {name.replace("_", "-"): value for name, value in flags.items()}
    return resolve_live(given, environment=environment or {}, table=table, folder=tmp_path)


def private(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "live.env"
    path.write_text(text)
    path.chmod(mode)
    return path.name


def test_a_flag_beats_the_environment_beats_the_file_beats_the_project(tmp_path: Path) -> None:
    file = private(tmp_path, "AEPMOCK_LIVE_SANDBOX=of-the-file\nAEPMOCK_LIVE_ORG_ID=file@AdobeOrg")
    table = {"sandbox": "of-the-project", "org_id": "project@AdobeOrg", "scopes": "openid"}
    environment = {"AEPMOCK_LIVE_SANDBOX": "of-the-environment"}
    settings = resolved(tmp_path, environment, table=table, live_file=file)
    assert settings.sandbox == "of-the-environment"
    assert settings.org_id == "file@AdobeOrg"
    assert settings.scopes == "openid"
    assert settings.origins["sandbox"] == "environment"
    flagged = resolved(tmp_path, environment, table=table, live_sandbox="of-the-flag")
    assert flagged.sandbox == "of-the-flag"


def test_the_project_may_name_the_file(tmp_path: Path) -> None:
    file = private(tmp_path, f"# mine\nexport AEPMOCK_LIVE_CLIENT_SECRET='{SECRET}'\n")
    settings = resolved(tmp_path, table={"file": file})
    assert settings.client_secret == SECRET
    assert SECRET not in repr(settings)


def test_connectors_have_credentials_by_the_names_of_their_params(tmp_path: Path) -> None:
    environment = {
        f"AEPMOCK_LIVE_HUBSPOT_{name}": name.lower()
        for name in ("CLIENT_ID", "CLIENT_SECRET", "ACCESS_TOKEN")
    }
    settings = resolved(tmp_path, environment)
    assert settings.credentials["hubspot"]["clientSecret"] == "client_secret"
    assert missing_credentials(settings, "hubspot") == ["AEPMOCK_LIVE_HUBSPOT_REFRESH_TOKEN"]


def test_what_is_missing_is_named_with_where_it_is_found(tmp_path: Path) -> None:
    lacking = missing(resolved(tmp_path))
    assert [key.name for key in lacking] == [
        "client_id",
        "org_id",
        "sandbox",
        "client_secret",
        "scopes",
    ]
    assert "Developer Console" in lacking[0].where
    ready = missing(resolved(tmp_path, {"AEPMOCK_LIVE_ACCESS_TOKEN": "a-token"}))
    assert [key.name for key in ready] == ["client_id", "org_id", "sandbox"]


@pytest.mark.parametrize(
    ("environment", "table", "flags", "said"),
    [
        ({"AEPMOCK_LIVE_CLIENT_SECRT": "x"}, {}, {}, "did you mean 'AEPMOCK_LIVE_CLIENT_SECRET'"),
        ({}, {"sandbx": "dev"}, {}, "did you mean 'sandbox'"),
        ({}, {"client_secret": SECRET}, {}, "does not belong in pyproject.toml"),
        ({}, {"hubspot_access_token": SECRET}, {}, "AEPMOCK_LIVE_HUBSPOT_ACCESS_TOKEN"),
        ({"AEPMOCK_LIVE_BASE_URL": "https://evil.example/x"}, {}, {}, "--live-host evil.example"),
        ({"AEPMOCK_LIVE_IMS_TOKEN_URL": "https://evil.example/x"}, {}, {}, "--live-host"),
        ({"AEPMOCK_LIVE_BASE_URL": "http://platform.adobe.io/x"}, {}, {}, "https only"),
        ({"AEPMOCK_LIVE_BASE_URL": "https://adobe.io.evil.example/x"}, {}, {}, "--live-host"),
        ({"AEPMOCK_LIVE_BASE_URL": "platform.adobe.io"}, {}, {}, "no URL"),
        ({"AEPMOCK_LIVE_BASE_URL": "http://127.0.0.300/x"}, {}, {}, "--live-host"),
        ({"AEPMOCK_LIVE_BASE_URL": "http://127.0.0.1.evil.example/x"}, {}, {}, "--live-host"),
        ({"AEPMOCK_LIVE_MAX_REQUESTS": "many"}, {}, {}, "no number"),
        ({}, {}, {"live_max_requests": 0}, "not between"),
        ({"AEPMOCK_LIVE_CA_FILE": "nowhere.pem"}, {}, {}, "there is no file"),
        ({}, {}, {"live_file": "nowhere.env"}, "can't be read"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path,
    environment: dict[str, str],
    table: dict[str, Any],
    flags: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        resolved(tmp_path, environment, table=table, **flags)
    assert SECRET not in str(caught.value)


def test_a_host_that_was_allowed_is_reached(tmp_path: Path) -> None:
    environment = {"AEPMOCK_LIVE_BASE_URL": "https://stand-in.example/data/"}
    settings = resolved(tmp_path, environment, live_host=["stand-in.example"])
    assert settings.base_url == "https://stand-in.example/data"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path, f"AEPMOCK_LIVE_CLIENT_SECRET={SECRET}", mode)
    with pytest.raises(UsageError, match="chmod 600"):
        resolved(tmp_path, live_file=file)


def test_a_line_that_is_no_setting_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = private(tmp_path, f"AEPMOCK_LIVE_CLIENT_SECRET {SECRET}")
    with pytest.raises(UsageError, match="line 1") as caught:
        resolved(tmp_path, live_file=file)
    assert SECRET not in str(caught.value)


def test_a_plan_survives_the_way_to_another_process(tmp_path: Path) -> None:
    environment = {"AEPMOCK_LIVE_HUBSPOT_CLIENT_ID": "x", "AEPMOCK_LIVE_CLIENT_SECRET": SECRET}
    plan = Plan("0123456789", resolved(tmp_path, environment), "private", "journal", 1)
    assert Plan.from_text(plan.to_text()) == plan


def test_files_of_the_project_are_named_as_seen_from_it(tmp_path: Path) -> None:
    private(tmp_path, "AEPMOCK_LIVE_SANDBOX=of-the-file")
    (tmp_path / "pyproject.toml").write_text('[tool.aepmock.live]\nfile = "live.env"\n')
    below = tmp_path / "below"
    below.mkdir()
    settings = resolved(below, table=dict(read_live_table(tmp_path)))
    assert settings.sandbox == "of-the-file"


def test_a_live_table_is_no_unknown_key_of_the_suite(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.aepmock]\nseed = 3\n[tool.aepmock.live]\nsandbox = "dev"\n'
    )
    assert resolve({}, environment={}, project=tmp_path)["seed"].value == 3
