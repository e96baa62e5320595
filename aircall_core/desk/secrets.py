"""Random tokens, and the encryption of secrets that must be readable again (trunk passwords, tokens of gateways and
CRMs, signing secrets).

The key lies beside the data in ``secret.key`` (0600), or comes from AIRCALL_SECRET_KEY: then a stolen copy of the
store alone reveals no password.
"""

import base64
import hashlib
import os
import secrets as random
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretKeyError(RuntimeError):
    """The key cannot be used, or did not encrypt what is to be read. The text is for the administrator."""


def new_token() -> str:
    """32 random bytes as URL-safe text: the value of a cookie or of a one-time link."""
    return random.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. It has 256 random bits, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


class SecretBox:
    """Encrypts and decrypts short texts with the installation's key."""

    def __init__(self, *keys: bytes) -> None:
        """``keys``: the first encrypts, all of them decrypt, so that a key can be replaced by a newer one."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise SecretKeyError("AIRCALL_SECRET_KEY must be 32 random bytes in URL-safe base64.") from error

    def seal(self, text: str) -> str:
        """The encrypted text, as stored."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again. SecretKeyError when it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SecretKeyError(
                "A stored secret was encrypted with another key. Restore secret.key (or AIRCALL_SECRET_KEY) "
                "from the backup, or enter the password or token anew."
            ) from error


def open_box(data_dir: Path, configured: str = "") -> SecretBox:
    """The installation's SecretBox. ``configured`` is AIRCALL_SECRET_KEY: one key, or a comma list, newest first.

    Without it the key file is used, and made when there is none yet.
    """
    if configured.strip():
        return SecretBox(*(part.strip().encode() for part in configured.split(",") if part.strip()))
    return SecretBox(_file_key(data_dir / "secret.key"))


def _file_key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: whoever comes second uses the key of the first, and none reads half a key.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{random.token_hex(4)}")
    if not path.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.urlsafe_b64encode(os.urandom(32)))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass  # another process of this installation was first
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_bytes().strip()
