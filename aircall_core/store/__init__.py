"""The context store: state tables and one ordered event log, on SQLite or PostgreSQL. See docs/store.md."""

from sqlalchemy import Connection

from aircall_core.store.engine import Store, Tx, open_store
from aircall_core.store.errors import LogTruncated, StoreAway

__all__ = ["Connection", "LogTruncated", "Store", "StoreAway", "Tx", "open_store"]
