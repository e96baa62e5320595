"""Passwords: what one must be like, and how it is kept (argon2id with the library's defaults, RFC 9106)."""

import threading

import argon2

from aircall_core.desk.errors import DeskError

SHORTEST = 10
LONGEST = 200  # longer input only costs hashing time

_hasher = argon2.PasswordHasher()
# A hash takes 64 MiB and all of a core for a moment. Two at once are enough for a desk and little for an attacker.
_turns = threading.BoundedSemaphore(2)
_QUEUE_S = 5
_COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "12345678910",
        "123456789a",
        "qwertyuiop",
        "asdfghjkl1",
        "1q2w3e4r5t",
        "passw0rd12",
        "password12",
        "password123",
        "password1234",
        "iloveyou12",
        "administrator",
        "welcome123",
        "letmein123",
        "changeme123",
        "aircall123",
        "qwerty12345",
    ]
)


def weakness(password: str, *, name: str = "", email: str = "") -> str | None:
    """What is wrong with a new password, in words for its owner; None when it will do."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters. A few words in a row are easy to remember."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    plain = password.lower()
    if len(set(plain)) < 5 or plain in _COMMON:
        return "This password is among the first that anybody would try. Please choose another."
    if plain in {name.lower(), email.lower(), email.lower().partition("@")[0]}:
        return "Do not use your own name or e-mail address as the password."
    return None


def hashed(password: str) -> str:
    """The password's argon2id hash with its own salt. Takes a good part of a second: never inside a transaction."""
    with _Turn():
        return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether this is the password. Takes as long when there is none stored, so that time tells nothing."""
    with _Turn():
        try:
            _hasher.verify(stored or _decoy(), password)
        except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
            return False
        return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's and should be made anew."""
    return _hasher.check_needs_rehash(stored)


class _Turn:
    """A place among those who hash now. Refuses rather than letting hundreds of requests wait."""

    def __enter__(self) -> None:
        if not _turns.acquire(timeout=_QUEUE_S):
            raise DeskError("busy", "Too many people sign in at this moment. Please try again.", 503)

    def __exit__(self, *_: object) -> None:
        _turns.release()


_decoy_hash: str | None = None


def _decoy() -> str:
    global _decoy_hash  # made once, with today's parameters; two threads making it at once do no harm
    if _decoy_hash is None:
        _decoy_hash = _hasher.hash("nobody's password")
    return _decoy_hash
