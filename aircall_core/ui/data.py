"""The console's reading side: one store for the process, opened when it is first needed."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from aircall_core.config import get_settings
from aircall_core.store import Store, StoreAway, open_store
from aircall_core.store.queries import people

R = TypeVar("R")


class NotReady(RuntimeError):
    """The store cannot be read yet: it is away, or the backend has not prepared it."""


@lru_cache(maxsize=1)
def store() -> Store:
    """The installation's store."""
    return open_store(get_settings().database_url)


def read(query: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Run one reading function (`query(conn, ...)`) in a short snapshot. Raises NotReady."""
    try:
        with store().read() as conn:
            return query(conn, *args, **kwargs)
    except StoreAway as error:
        raise NotReady(str(error)) from error


@lru_cache(maxsize=1)
def cookie_name() -> str:
    """The session cookie's name. Raises NotReady until the desk process has given the installation its id."""
    found = read(people.install_id)
    if found is None:
        raise NotReady("the installation has no id yet")
    return f"aircall_{found}"


def close() -> None:
    """Let go of the store's connections, if any were made."""
    if store.cache_info().currsize:
        store().close()
        store.cache_clear()
