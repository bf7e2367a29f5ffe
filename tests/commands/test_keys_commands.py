"""From one sealing key to the next: webhooks go on being verified, and nothing secret is told on the way."""

import json
import shutil
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers.webhooks import authentication
from skeldir.app import create_app
from skeldir.commands import keys, provisioning
from skeldir.db.engine import dispose_engines
from skeldir.security.keys import get_key_ring, new_ring_document, parse_ring
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.commands.shell import Shell
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors.payloads import shopify_order


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


@pytest.fixture
def ring_file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: ARG001
    """Give this test a key file of its own, which holds the same keys."""
    get_key_ring()
    file = tmp_path / "keys.json"
    shutil.copy2(get_settings().data_dir / "keys.json", file)
    with monkeypatch.context() as patch:
        patch.setenv("SKELDIR_DATA_DIR", str(tmp_path))
        forget_settings()
        yield file
    forget_settings()
    restart()


def forget_settings() -> None:
    """Have the environment read again; engines belong to the settings that they were made by."""
    dispose_engines()
    get_settings.cache_clear()


def restart() -> None:
    """Forget what a process that starts anew does not know."""
    get_key_ring.cache_clear()
    authentication._decoy.cache_clear()
    authentication._remembered.clear()


@pytest.fixture
def shops(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> list[Shop]:  # noqa: ARG001
    """Return all tenants that there are for the commands; one is suspended."""
    api = Api(create_app(get_settings()))
    made = [open_shop(api), open_shop(api)]
    known = {shop.tenant_id for shop in made}
    every = provisioning.list_tenants
    monkeypatch.setattr(
        provisioning, "list_tenants", lambda: [one for one in every() if one.tenant_id in known]
    )
    provisioning.set_status(made[1].tenant_id, "suspended")
    return made


def key_ids(shops: list[Shop]) -> set[str]:
    """Return which keys seal what the shops have."""
    return {str(row[0]) for shop in shops for row in shop.rows("SELECT sealing_key_id FROM webhook_secrets")}


def is_accepted(shop: Shop, number: int = 1) -> bool:
    """Tell whether what a vendor signs with its secret is believed."""
    return shop.shopify("orders/paid", shopify_order(number)).status_code == 200


def test_an_operator_changes_the_key_and_webhooks_go_on(
    shell: Shell, shops: list[Shop], ring_file: Path
) -> None:
    shell.run("keys", "rotate")
    restart()
    assert parse_ring(ring_file.read_text()).sealing.current == "seal-2"
    assert all(is_accepted(shop) for shop in shops)  # the old key still opens
    _, refusal = shell.run("keys", "drop", "seal-1", ends=1)
    assert "still seals 10 secrets" in refusal

    assert shell.json("keys", "reseal") == {"sealing_key_id": "seal-2", "resealed": 10, "unopened": []}
    assert key_ids(shops) == {"seal-2"}
    assert shell.json("keys", "reseal")["resealed"] == 0
    shell.run("keys", "drop", "seal-1")
    restart()

    assert set(parse_ring(ring_file.read_text()).sealing.keys) == {"seal-2"}
    assert all(is_accepted(shop, number=2) for shop in shops)
    assert shops[0].net() == {"USD": 2 * 12999}


def test_without_resealing_the_old_key_is_needed(shell: Shell, shops: list[Shop], ring_file: Path) -> None:
    """The test above does not pass for want of sealing."""
    shell.run("keys", "rotate")
    ring = json.loads(ring_file.read_text())
    del ring["sealing"]["keys"]["seal-1"]
    ring_file.write_text(json.dumps(ring))
    restart()

    out, _ = shell.run("keys", "reseal", "--json", ends=1)

    assert len(json.loads(out)["unopened"]) == 10
    assert key_ids(shops) == {"seal-1"}


def test_resealing_that_breaks_off_is_finished_by_the_next(
    shell: Shell, shops: list[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run("keys", "rotate")
    restart()
    monkeypatch.setattr(keys, "BATCH", 2)
    with monkeypatch.context() as broken:
        broken.setattr(keys, "provisioning", _Unreliable(after=2))
        with pytest.raises(ConnectionError):
            keys.reseal(json=True)
    assert key_ids(shops) == {"seal-1", "seal-2"}

    assert shell.json("keys", "reseal")["resealed"] == 10 - 2 * 2
    assert key_ids(shops) == {"seal-2"}


class _Unreliable:
    """Opens so many transactions and then fails."""

    def __init__(self, after: int) -> None:
        self._left = after
        self.list_tenants = provisioning.list_tenants

    def provisioning(self, tenant_id: object) -> object:
        if not self._left:
            raise ConnectionError
        self._left -= 1
        return provisioning.provisioning(tenant_id)  # type: ignore[arg-type]


def test_a_ring_in_the_settings_is_printed_for_whoever_keeps_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, ring_file: Path
) -> None:
    monkeypatch.setattr(provisioning, "list_tenants", list)
    document, untouched = new_ring_document(), ring_file.read_bytes()
    monkeypatch.setenv("SKELDIR_KEYS", document)
    forget_settings()
    rotated = shell.run("keys", "rotate")[0]
    monkeypatch.setenv("SKELDIR_KEYS", rotated)
    forget_settings()
    dropped = shell.run("keys", "drop", "seal-1")[0]

    before, both, after = parse_ring(document), parse_ring(rotated), parse_ring(dropped)
    assert len(rotated.splitlines()) == 1
    assert (both.sealing.current, set(both.sealing.keys)) == ("seal-2", {"seal-1", "seal-2"})
    assert both.sealing.keys["seal-1"] == before.sealing.keys["seal-1"]
    assert after.sealing.keys == {"seal-2": both.sealing.keys["seal-2"]}
    assert before.pepper == both.pepper == after.pepper
    assert before.signing.current == after.signing.current
    assert ring_file.read_bytes() == untouched


@pytest.mark.parametrize(("key_id", "says"), [("seal-1", "the key that seals"), ("seal-9", "no sealing key")])
def test_a_key_that_is_used_or_unknown_is_not_dropped(
    shell: Shell, ring_file: Path, monkeypatch: pytest.MonkeyPatch, key_id: str, says: str
) -> None:
    monkeypatch.setattr(provisioning, "list_tenants", list)
    before = ring_file.read_bytes()

    assert says in shell.run("keys", "drop", key_id, ends=1)[1]
    assert ring_file.read_bytes() == before


def test_the_server_sees_no_secret_and_no_key_in_any_statement(
    shell: Shell, shops: list[Shop], ring_file: Path, statements: Callable[[], str]
) -> None:
    printed = [*shell.run("keys", "rotate")]
    restart()
    printed += shell.run("keys", "reseal")
    made = provisioning.create_tenant("Another shop", ["woocommerce"])
    assert is_accepted(shops[0])
    printed += shell.run("keys", "drop", "seal-1", ends=0)
    logged = statements()

    assert "UPDATE webhook_secrets SET sealed" in logged
    assert "INSERT INTO webhook_secrets" in logged
    ring = json.loads(ring_file.read_text())
    hidden = [
        *(new.secret for shop in shops for new in shop.tenant.endpoints),
        *(new.endpoint.key for shop in shops for new in shop.tenant.endpoints),
        made.key,
        made.endpoints[0].secret,
        made.endpoints[0].endpoint.key,
        ring["pepper"],
        ring["cursor"],
        *ring["sealing"]["keys"].values(),
    ]
    raw = [urlsafe_b64decode(key).hex() for key in (ring["pepper"], *ring["sealing"]["keys"].values())]
    spelled = [*hidden, *raw, *(text.encode().hex() for text in hidden)]
    assert [text for text in spelled if text in logged + "".join(printed)] == []


@pytest.fixture
def statements(database: Database, shops: list[Shop]) -> Iterator[Callable[[], str]]:
    """Have the server log every statement with its parameters, and return how to read what it logged."""
    assert shops
    with database.connect() as connection:
        row = connection.execute("SHOW data_directory").fetchone()
        log = Path(row[0] if row else "").parent / "server.log"
        if not log.exists():
            pytest.skip("the server's log is somewhere else")
        settings = {
            "log_statement": "all",
            "log_error_verbosity": "default",  # terse leaves the parameters out
            "log_parameter_max_length": "-1",
        }
        for name, value in settings.items():
            connection.execute(f"ALTER DATABASE {database.name} SET {name} = '{value}'")
    dispose_engines()  # a connection keeps the settings that it began with
    start = log.stat().st_size

    def since() -> str:
        with log.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace")

    yield since
    with database.connect() as connection:
        for name in settings:
            connection.execute(f"ALTER DATABASE {database.name} RESET {name}")
    dispose_engines()
