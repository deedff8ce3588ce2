"""The tables, once for both databases. A change here goes with a migration; a test compares the two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s"})


class Moment(TypeDecorator[datetime]):
    """A point in time, aware and in UTC; SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Store UTC."""
        return value and value.astimezone(UTC).replace(tzinfo=UTC if dialect.name == "postgresql" else None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Read UTC."""
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Names(TypeDecorator[tuple[str, ...]]):
    """Some words in their order, kept as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Any) -> str | None:
        """Store JSON."""
        return None if value is None else json.dumps(list(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...] | None:
        """Read JSON."""
        return None if value is None else tuple(json.loads(value))


COUNTER = BigInteger().with_variant(Integer(), "sqlite")

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# A key is shown once and kept as a digest; `id` is its public beginning.
api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("disabled_at", Moment),
)

# Who is signed in to the console; the row without an account is the local session of `quebu serve`.
login = Table(
    "login",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account", Text, ForeignKey("account.name", ondelete="CASCADE")),
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# Append-only: the migration adds triggers that refuse changes; each row's digest covers the one before it.
audit = Table(
    "audit",
    metadata,
    Column("id", COUNTER, primary_key=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

# Long contents in pieces, so that none has to be held whole: what a job works on and what it made, answers kept for a repeated request.
piece = Table(
    "piece",
    metadata,
    Column("blob", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("expires_at", Moment),
    Column("beat_at", Moment),
    Column("lease", Text),
    Column("attempts", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("cause", Text),
    Column("result_type", Text),
    Column("stage", Text),
    Index(None, "status"),
)

# The first answer to a request that may be repeated (Idempotency-Key); `status` is missing while it is being made.
answer = Table(
    "answer",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("headers", Text),
    Column("blob", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

saved_plan = Table(
    "saved_plan",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("model_version", Text, nullable=False),
    Column("people", Integer, nullable=False),
    Column("blob", Text, nullable=False),
)

# What somebody works on in the console before it is saved; `id` is the digest of a token that only their browser has, and the pieces are sealed with it.
desk = Table(
    "desk",
    metadata,
    Column("id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("expires_at", Moment, nullable=False),
)

# Whom a pseudonym of a saved plan stands for; `known` holds the digests by which another plan knows the person again. Nothing else of the
# store tells, and without these rows nobody can.
person = Table(
    "person",
    metadata,
    Column("plan", Text, ForeignKey("saved_plan.id", ondelete="CASCADE"), primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("known", Text, nullable=False),
    Index(None, "pseudonym"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", COUNTER, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("pseudonym", Text),
    Column("course_id", Text, nullable=False),
    Column("gap", Text),
    Column("verdict", Text, nullable=False),
    Column("scope", Text),
    Column("replacement", Text),
    Column("reason", Text, nullable=False),
    Column("score_before", Float),
    Column("score_after", Float),
    Column("model_version", Text, nullable=False),
    Index(None, "pseudonym"),
)

# A rejection at work (this course is not offered for this gap text, or not to this person), or what was said of a word or a course: `kind` tells. `competencies`
# are standard terms, `title` the course's when it was said, for numbers move. Reverting keeps the row.
override = Table(
    "override",
    metadata,
    Column("id", COUNTER, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("course_id", Text),
    Column("gap", Text),
    Column("pseudonym", Text),
    Column("reason", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("word", Text),
    Column("competencies", Names),
    Column("feedback", COUNTER, ForeignKey("feedback.id")),
    Column("reverted_at", Moment),
    Column("reverted_by", Text),
)
