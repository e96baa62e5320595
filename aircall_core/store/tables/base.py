"""What every table is made with."""

from sqlalchemy import BigInteger, Integer, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(26)
CLIENT_ID = String(64)  # made by a browser or a script: command, peer, tab
MS = BigInteger
# SQLite numbers rows by itself only for the exact type INTEGER.
SEQ = BigInteger().with_variant(Integer, "sqlite")
