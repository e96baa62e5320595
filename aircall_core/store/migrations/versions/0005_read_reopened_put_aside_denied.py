"""what was read, reopened, put aside and denied

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_denials",
        sa.Column("contact_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("denied_by", sa.String(length=26), nullable=False),
        sa.Column("denied_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_contact_denials_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", "number", name=op.f("pk_contact_denials")),
    )
    with op.batch_alter_table("contact_denials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_denials_number"), ["number"], unique=False)

    with op.batch_alter_table("conversation_reads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reopened_at", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("put_aside_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_messages_undelivered",
            ["conversation_id"],
            unique=False,
            sqlite_where=sa.text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
            postgresql_where=sa.text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_messages_undelivered",
            sqlite_where=sa.text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
            postgresql_where=sa.text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
        )
        batch_op.drop_column("put_aside_at")

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_column("reopened_at")

    with op.batch_alter_table("conversation_reads", schema=None) as batch_op:
        batch_op.drop_column("read_seq")

    with op.batch_alter_table("contact_denials", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_denials_number"))

    op.drop_table("contact_denials")
