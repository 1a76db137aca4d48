"""The tables. A change here needs a new revision in `migrations`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


Hash = String(64)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Study(Base):
    """One search."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    specification: Mapped[str] = mapped_column(Text)
    specification_hash: Mapped[str] = mapped_column(Hash)
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc)
    spikefront_version: Mapped[str]
    objectives: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    reference: Mapped[dict[str, list[float]] | None] = mapped_column(JSON(none_as_null=True))
    plugins: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    extension: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    restarts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")


class Lease(Base):
    """Which process may write to a study; `fence` grows by one with each holder and is never reset."""

    __tablename__ = "leases"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    fence: Mapped[int]
    host: Mapped[str]
    process: Mapped[int]
    acquired_at: Mapped[datetime] = mapped_column(Utc)
    renewed_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    released: Mapped[bool]


class Genome(Base):
    """One genome, shared by all studies; `arrays` is safetensors."""

    __tablename__ = "genomes"

    hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    json: Mapped[str] = mapped_column(Text)
    arrays: Mapped[bytes | None] = mapped_column(LargeBinary)


class Ask(Base):
    """One genome that an algorithm asked for, recorded before it is tried."""

    __tablename__ = "asks"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int]
    genome_hash: Mapped[str] = mapped_column(ForeignKey("genomes.hash"))
    parents: Mapped[list[str]] = mapped_column(JSON)
    operators: Mapped[list[str]] = mapped_column(JSON)
    told: Mapped[int | None]


class Attempt(Base):
    """One try of an asked genome that failed, and that may have been tried again; never changed."""

    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(["study_id", "number"], ["asks.study_id", "asks.number"]),
        Index(None, "study_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int]
    number: Mapped[int]
    genome_hash: Mapped[str] = mapped_column(ForeignKey("genomes.hash"))
    kind: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    traceback: Mapped[str] = mapped_column(Text)
    worker: Mapped[str]
    peak_memory: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
    at: Mapped[datetime] = mapped_column(Utc)


class Evaluation(Base):
    """One genome, trained and measured once; never changed."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("study_id", "purpose", "number"),
        ForeignKeyConstraint(["study_id", "ask"], ["asks.study_id", "asks.number"]),
        Index(None, "study_id", "ask"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    purpose: Mapped[str]
    number: Mapped[int]
    candidate: Mapped[int]
    ask: Mapped[int | None]
    generation: Mapped[int]
    genome_hash: Mapped[str] = mapped_column(ForeignKey("genomes.hash"), index=True)
    cache_key: Mapped[str | None] = mapped_column(Hash, index=True)
    replicates: Mapped[list[int]] = mapped_column(JSON)
    budget: Mapped[float]
    failure_kind: Mapped[str | None]
    failure_message: Mapped[str | None] = mapped_column(Text)
    failure_traceback: Mapped[str | None] = mapped_column(Text)
    reused: Mapped[bool]
    samples: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
    peak_memory: Mapped[int] = mapped_column(BigInteger)
    worker: Mapped[str]
    finished_at: Mapped[datetime] = mapped_column(Utc)
    history: Mapped[list[Any]] = mapped_column(JSON)
    recording: Mapped[dict[str, Any]] = mapped_column(JSON)


class Measurement(Base):
    """One fitness term of one evaluation: `values` has one for each replicate."""

    __tablename__ = "measurements"

    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    mean: Mapped[float | None]
    standard_error: Mapped[float | None]
    values: Mapped[list[float | None]] = mapped_column(JSON)


class Artifact(Base):
    """Binary content that an evaluation left, with its checksum; the only thing that is ever dropped."""

    __tablename__ = "artifacts"

    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(Hash)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Tag(Base):
    """A word that somebody gave to a candidate of a search; no part of what the search is."""

    __tablename__ = "tags"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[datetime] = mapped_column(Utc)
