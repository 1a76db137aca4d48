"""Leases, attempts, what the algorithm was told, longer budgets and fresh starts of the algorithm.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TOLD = """
UPDATE asks SET told = generation
WHERE generation < (SELECT MAX(other.generation) FROM asks AS other WHERE other.study_id = asks.study_id)
AND NOT EXISTS (
    SELECT 1 FROM asks AS open WHERE open.study_id = asks.study_id AND open.generation = asks.generation
    AND NOT EXISTS (
        SELECT 1 FROM evaluations
        WHERE evaluations.study_id = open.study_id AND evaluations.ask = open.number AND evaluations.purpose = 'search'
    )
)
"""
"""Revision 0001 told generation after generation, and asked for one only when it had told the one before.

Of the last generation the record does not say whether it was told: the last of a budget never was, whole or cut short,
so it stays open, and a search that goes on tells it as a replay would.
"""


def upgrade() -> None:
    """Make what is new, and number the tells of old studies."""
    op.add_column("studies", sa.Column("extension", sa.JSON(), nullable=True))
    op.add_column("studies", sa.Column("restarts", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("asks", sa.Column("told", sa.Integer(), nullable=True))
    op.execute(_TOLD)
    _leases()
    _attempts()


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_leases_study_id")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_leases")),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("genome_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("peak_memory", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["genome_hash"], ["genomes.hash"], name=op.f("fk_attempts_genome_hash")),
        sa.ForeignKeyConstraint(
            ["study_id", "number"], ["asks.study_id", "asks.number"], name=op.f("fk_attempts_study_id_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_study_id_number"), "attempts", ["study_id", "number"], unique=False)
