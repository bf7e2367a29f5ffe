"""`skeldir tenant …` and `skeldir user …`: what they print, and how they end."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.db.session import lookup_session
from skeldir.http import sessions
from skeldir.http.sessions import Login
from skeldir.repository import endpoints, tenants
from skeldir.security.tokens import verify_access_token
from tests.commands.shell import Shell

pytestmark = pytest.mark.usefixtures("database")

PASSWORD = "correct horse battery"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


@pytest.fixture
def tenant_id(shell: Shell) -> str:
    return str(shell.json("tenant", "create", "A shop")["tenant_id"])


def _add(shell: Shell, tenant_id: str, email: str, role: str) -> Any:
    return shell.json(
        "user", "add", email, "--tenant", tenant_id, "--role", role, "--password-stdin", stdin=PASSWORD + "\n"
    )


def test_creating_a_tenant_prints_everything_that_its_vendors_need(shell: Shell) -> None:
    made = shell.json("tenant", "create", "A shop", "--vendor", "shopify", "--vendor", "stripe")

    assert [new["vendor"] for new in made["endpoints"]] == ["shopify", "stripe"]
    for new in made["endpoints"]:
        with lookup_session() as session:
            found = endpoints.by_key(session, new["url"].rpartition("/")[2], new["vendor"])
        assert found is not None
        assert str(found.tenant_id) == made["tenant_id"]
        assert [secret.decode() for secret in found.secrets] == [new["secret"]]


def test_people_see_the_same_in_tables_with_nothing_cut_short(shell: Shell) -> None:
    out, _ = shell.run("tenant", "create", "A shop", "--vendor", "stripe")

    key = next(word for word in out.split() if word.startswith("skt_"))
    with lookup_session() as session:
        assert tenants.by_key(session, key)
    assert "shown this once" in out


def test_a_rotated_key_replaces_the_former_one(shell: Shell) -> None:
    made = shell.json("tenant", "create", "A shop")
    rotated = shell.json("tenant", "rotate-key", made["tenant_id"])

    with lookup_session() as session:
        assert tenants.by_key(session, made["tenant_key"]) is None
        owner = tenants.by_key(session, rotated["tenant_key"])
    assert owner is not None
    assert str(owner.tenant_id) == made["tenant_id"]


def test_a_secret_read_from_standard_input_is_not_printed(shell: Shell, tenant_id: str) -> None:
    arguments = ("tenant", "set-secret", "stripe", "--tenant", tenant_id, "--secret-stdin")
    out, err = shell.run(*arguments, "--json", stdin="whsec_theirs0theirs0theirs0\n")
    url = json.loads(out)["url"]
    assert "whsec_theirs0theirs0theirs0" not in out + err

    generated = shell.json("tenant", "set-secret", "stripe", "--tenant", tenant_id, "--generate")
    assert _secrets(url) == [generated["secret"], "whsec_theirs0theirs0theirs0"]

    shell.run(*arguments, "--retire-old", stdin="whsec_fresh0fresh0fresh0fresh0\n")
    assert _secrets(url) == ["whsec_fresh0fresh0fresh0fresh0"]


def test_what_cannot_be_the_vendors_secret_is_refused_and_not_repeated(shell: Shell, tenant_id: str) -> None:
    arguments = ("tenant", "set-secret", "stripe", "--tenant", tenant_id, "--secret-stdin")

    out, err = shell.run(*arguments, stdin="sk_live_whatever_it_is\n", ends=1)

    assert "no signing secret of Stripe" in err
    assert "sk_live" not in out + err


def test_an_empty_secret_is_a_wrong_usage(shell: Shell, tenant_id: str) -> None:
    shell.run("tenant", "set-secret", "stripe", "--tenant", tenant_id, "--secret-stdin", stdin="\n", ends=2)


def test_suspending_and_resuming_shows(shell: Shell, tenant_id: str) -> None:
    shell.run("tenant", "suspend", tenant_id)
    listed = {one["tenant_id"]: one["status"] for one in shell.json("tenant", "list")["tenants"]}
    assert listed[tenant_id] == "suspended"

    resumed = shell.json("tenant", "resume", tenant_id)
    assert (resumed["booked"], resumed["dead_letters"]) == (0, 0)
    assert shell.json("tenant", "show", tenant_id)["status"] == "active"


def test_a_user_can_be_added_promoted_and_deactivated(shell: Shell, tenant_id: str) -> None:
    email = f"{uuid4().hex}@example.test"
    _add(shell, tenant_id, f"{uuid4().hex}@example.test", "admin")
    added = _add(shell, tenant_id, email, "viewer")
    begun = sessions.log_in(UUID(tenant_id), email, PASSWORD)
    assert isinstance(begun, Login)

    shell.run("user", "set-role", email, "--tenant", tenant_id, "--role", "manager")
    again = sessions.log_in(UUID(tenant_id), email, PASSWORD)
    assert isinstance(again, Login)
    assert verify_access_token(again.tokens.access.token).role == "manager"

    shell.run("user", "deactivate", added["user_id"], "--tenant", tenant_id)
    assert not isinstance(sessions.log_in(UUID(tenant_id), email, PASSWORD), Login)
    listed = {
        one["user_id"]: one["status"] for one in shell.json("user", "list", "--tenant", tenant_id)["users"]
    }
    assert listed[added["user_id"]] == "revoked"


def test_the_last_administrator_is_kept_and_the_command_says_so(shell: Shell, tenant_id: str) -> None:
    added = _add(shell, tenant_id, f"{uuid4().hex}@example.test", "admin")

    _, err = shell.run("user", "deactivate", added["user_id"], "--tenant", tenant_id, ends=1)

    assert "at least one administrator" in err


@pytest.mark.parametrize(
    ("arguments", "ends", "says"),
    [
        (["tenant", "show", "{nowhere}"], 1, "There is no tenant"),
        (["tenant", "suspend", "{nowhere}"], 1, "There is no tenant"),
        (["tenant", "create", "A shop", "--vendor", "ebay"], 2, "shopify"),
        (["tenant", "show", "not-an-id"], 2, "UUID"),
        (["user", "set-role", "nobody@example.test", "--tenant", "{tenant}", "--role", "admin"], 1, "Nobody"),
        (["user", "add", "no-address", "--tenant", "{tenant}", "--role", "admin"], 2, "e-mail"),
        (["user", "add", "jörg@example.test", "--tenant", "{tenant}", "--role", "admin"], 2, "e-mail"),
        (["user", "add", "a@example.test", "--tenant", "{tenant}", "--role", "owner"], 2, "viewer"),
    ],
)
def test_what_cannot_be_done_ends_in_one_sentence(
    shell: Shell, tenant_id: str, arguments: list[str], ends: int, says: str
) -> None:
    filled = [argument.format(nowhere=uuid4(), tenant=tenant_id) for argument in arguments]

    _, err = shell.run(*filled, ends=ends)

    assert says in err
    assert "Traceback" not in err


def test_a_short_password_is_a_wrong_usage(shell: Shell, tenant_id: str) -> None:
    arguments = ("user", "add", "a@example.test", "--tenant", tenant_id, "--role", "viewer")

    shell.run(*arguments, "--password-stdin", stdin="short\n", ends=2)


@pytest.mark.parametrize("command", [[], ["tenant"], ["tenant", "set-secret"], ["user", "add"]])
def test_help_explains_every_command(shell: Shell, command: list[str]) -> None:
    out, _ = shell.run(*command, "--help")

    assert "Usage" in out


def _secrets(url: str) -> list[str]:
    with lookup_session() as session:
        found = endpoints.by_key(session, url.rpartition("/")[2], "stripe")
    return [secret.decode() for secret in found.secrets] if found else []
