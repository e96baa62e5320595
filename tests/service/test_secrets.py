"""The key file, and what is sealed with it."""

import base64
import concurrent.futures
import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert

from aircall_core.desk import flows, reseal, secrets
from aircall_core.desk.secrets import SecretBox
from aircall_core.store import Store, provisioning, sealed
from aircall_core.store import tables as t


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    sealed = secrets.open_box(tmp_path).seal("open sesame")
    assert "open sesame" not in sealed
    assert secrets.open_box(tmp_path).open(sealed) == "open sesame"
    path = tmp_path / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    secrets.open_box(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["secret.key"]


def test_processes_that_start_at_once_agree_on_a_key(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: secrets.open_box(tmp_path), range(8)))
    sealed = boxes[0].seal("x")
    assert [box.open(sealed) for box in boxes] == ["x"] * 8


def test_a_configured_key_can_be_replaced(tmp_path: Path) -> None:
    old, new = (base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
    sealed = secrets.open_box(tmp_path, old).seal("x")
    assert secrets.open_box(tmp_path, f"{new}, {old}").open(sealed) == "x"
    with pytest.raises(secrets.SecretKeyError):
        secrets.open_box(tmp_path, new).open(sealed)
    with pytest.raises(secrets.SecretKeyError):
        secrets.open_box(tmp_path, "too short")
    assert not (tmp_path / "secret.key").exists()


def test_tokens() -> None:
    assert len(base64.urlsafe_b64decode(secrets.new_token() + "=")) == 32
    assert secrets.token_hash("x") == hashlib.sha256(b"x").hexdigest()


def test_every_secret_is_sealed_with_the_newest_key(store: Store) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    before, both, after = SecretBox(old), SecretBox(new, old), SecretBox(new)
    with store.write() as tx:
        tx.execute(
            insert(t.trunks).values(id="t", name="Carrier", kind="digest", secret=before.seal("t"), created_at=1)
        )
        account = {"id": "m", "name": "Texts", "kind": "webhook", "settings": {}, "created_at": 1}
        tx.execute(insert(t.message_accounts).values(**account, secret=before.seal("m")))
        source = {"kind": "posted", "settings": {}, "created_at": 1}
        tx.execute(insert(t.insight_sources).values(id="i", name="Shop", **source, secret=before.seal("i")))
        lost = SecretBox(Fernet.generate_key()).seal("lost")
        tx.execute(insert(t.insight_sources).values(id="x", name="Lost", **source, secret=lost))
        tx.execute(insert(t.insight_sources).values(id="n", name="None", **source))
        provisioning.put_setting(tx.conn, flows.SECRETS, {"line:step": before.seal("f")})
        done = reseal.reseal(tx, both)
    assert (done.count, done.unreadable) == (4, ["insight source Lost"])
    with store.read() as conn:
        found = {row["id"]: row["secret"] for table in sealed.COLUMNS for row in sealed.every(conn, table)}
        assert found.pop("x") == lost
        assert {name: after.open(text) for name, text in found.items()} == {"t": "t", "m": "m", "i": "i"}
    assert flows.lookup_secrets(store, after) == {("line", "step"): "f"}


def test_no_column_of_secrets_is_forgotten() -> None:
    named = {table.name for table in t.metadata.tables.values() for column in table.columns if column.name == "secret"}
    assert named == set(sealed.COLUMNS)
