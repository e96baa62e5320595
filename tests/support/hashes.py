"""Passwords for tests that have many: the real cost is for one test to see."""

import argon2
import pytest

from aircall_core.desk import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with parameters that cost nothing, in each module that imports this. One test uses the real ones."""
    monkeypatch.setattr(passwords, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(passwords, "_decoy_hash", None)
