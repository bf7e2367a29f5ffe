"""The compose file starts what exists, in order, without a default password."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from skeldir.cli import app
from skeldir.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "skeldir")


def test_the_whole_service_is_there() -> None:
    """Database, migration, API, worker and schedule, and a way to run commands."""
    assert set(SERVICES) == {"postgres", "migrate", "api", "worker", "beat", "admin"}
    assert set(FILE["volumes"]) == {"postgres"}


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_ours(name: str) -> None:
    """A service runs a command that the command line knows, with options that it knows."""
    words = [*SERVICES[name].get("entrypoint", []), *SERVICES[name]["command"]]
    assert words[0] == "skeldir"
    commands = get_command(app)
    with commands.make_context("skeldir", words[1:], resilient_parsing=True) as context:
        if words[1:] == ["--help"]:
            return
        command = commands.get_command(context, words[1])  # type: ignore[attr-defined]
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[2:] if word.startswith("--")} <= known


@pytest.mark.parametrize("name", ["postgres", "api", "worker", "beat"])
def test_what_runs_has_a_health_check(name: str) -> None:
    """Whoever waits for a service, or watches it, can ask it."""
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", ["api", "worker", "beat", "admin"])
def test_nothing_starts_before_the_schema(name: str) -> None:
    """The migration is over before anything uses the database."""
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_each_process_logs_in_as_its_own_role() -> None:
    """The API is app_user, worker and schedule are app_worker, and only commands own the schema."""
    url = {name: SERVICES[name]["environment"]["DATABASE_URL"] for name in OURS}
    assert url["api"].startswith("postgresql://app_user:")
    assert url["worker"].startswith("postgresql://app_worker:")
    assert url["beat"].startswith("postgresql://app_worker:")
    owners = {name for name in OURS if "SKELDIR_OWNER_DATABASE_URL" in SERVICES[name]["environment"]}
    assert owners == {"migrate", "admin"}


def test_secrets_have_no_default() -> None:
    """Every secret is demanded where it is first used, and never given a value here."""
    secrets = set(re.findall(r"\$\{(\w*(?:PASSWORD|KEYS)\w*)", TEXT))
    assert secrets == {"POSTGRES_PASSWORD", "APP_USER_PASSWORD", "APP_WORKER_PASSWORD", "SKELDIR_KEYS"}
    for secret in secrets:
        assert f"${{{secret}:?" in TEXT, f"{secret} is never demanded"
        assert f"${{{secret}:-" not in TEXT


def test_every_variable_is_a_setting() -> None:
    """A misspelt variable would be ignored without a word."""
    known = {f"SKELDIR_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL"}
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= known


def test_our_containers_have_no_rights_to_lose() -> None:
    """They run as an ordinary user with a read-only root and no capabilities."""
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "\nUSER skeldir\n" in (ROOT / "Dockerfile").read_text()


def test_mounted_files_exist() -> None:
    """A missing file would be mounted as an empty folder."""
    mounted = [volume.split(":")[0] for volume in SERVICES["postgres"]["volumes"] if volume.startswith("./")]
    assert mounted == ["./deploy/make-logins.sh"]
    assert all((ROOT / path).is_file() for path in mounted)


def test_rabbitmq_is_added_for_who_works_and_only_for_them() -> None:
    """The second file changes nothing else of the first, and gives no default password either."""
    text = (ROOT / "deploy" / "rabbitmq.yml").read_text()
    added: dict[str, Any] = yaml.safe_load(text)["services"]
    assert set(added) == {"rabbitmq", "worker"}
    assert set(added["worker"]) == {"environment"}
    (variable,) = added["worker"]["environment"]
    assert variable.removeprefix("SKELDIR_").lower() in Settings.model_fields
    assert set(re.findall(r"\$\{(\w+)(:.)", text)) == {("RABBITMQ_PASSWORD", ":?")}
