"""Links by which a gateway fetches the files of a text of ours: sealed with the installation's key, for a while."""

import time
from typing import Final

from aircall_core.desk.secrets import SecretBox, SecretKeyError

_GOOD_FOR_S: Final = 24 * 3600
_MARK: Final = "media"


def made(box: SecretBox, file_id: str) -> str:
    """A link's last part."""
    return box.seal(f"{_MARK}:{int(time.time()) + _GOOD_FOR_S}:{file_id}")


def opened(box: SecretBox, token: str) -> str | None:
    """The file that a link is for; None when it is none of ours, or has run out."""
    try:
        mark, until, file_id = box.open(token[:1000]).split(":")
    except (SecretKeyError, ValueError):  # not sealed by us, or something else that was
        return None
    return file_id if mark == _MARK and int(until) > time.time() else None
