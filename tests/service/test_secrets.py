"""The key file, and what is sealed with it."""

import base64
import concurrent.futures
import hashlib
import os
import stat
from pathlib import Path

import pytest

from aircall_core.desk import secrets


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
