"""Tables of the answers and of the counts kept beside them."""

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.models import one_of
from app.foundation.database import Base, TenantRow, UtcMoment
from app.foundation.tokens import new_id
from app.surveys.models import Channel
from app.surveys.ways import EMAIL_LIMIT

SCORES = range(11)
FINAL = 32_767  # the number of what a person sends; what is saved early has a lower one
COMMENT_MAX_LENGTH = 4_000


class Standing(enum.StrEnum):
    """Whether an answer enters the figures: held and excluded ones are kept apart, visibly."""

    COUNTED = "counted"
    HELD = "held"
    EXCLUDED = "excluded"


class HoldReason(enum.StrEnum):
    """Why an answer waits for a manager: sent at once, a hidden field filled in, or one of very
    many from one network. Nothing finer is kept, and nothing once somebody has decided."""

    TOO_FAST = "too_fast"
    TRAP = "trap"
    FLOOD = "flood"


class DeletionReason(enum.StrEnum):
    """Why answers were deleted: for their age, by who gave one, with their import, by a program."""

    RETENTION = "retention"
    RECEIPT = "receipt"
    IMPORT_UNDONE = "import_undone"
    API = "api"


def _survey_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "survey_id"], ["surveys.workspace_id", "surveys.id"], ondelete="CASCADE"
    )


class SegmentSet(TenantRow, Base):
    """One combination of segment values. Its id follows from survey and values (`segments`)."""

    __tablename__ = "segment_sets"
    __table_args__ = (_survey_key(), Index(None, "workspace_id", "survey_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    labels: Mapped[dict[str, str]] = mapped_column()


class Import(TenantRow, Base):
    """A file of answers taken in as a whole; can be undone as a whole."""

    __tablename__ = "imports"
    __table_args__ = (_survey_key(), Index(None, "workspace_id", "survey_id", "file_hash"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    file_name: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary)
    stored: Mapped[int] = mapped_column()
    unscored: Mapped[int] = mapped_column()
    skipped: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    undone_at: Mapped[datetime | None] = mapped_column(UtcMoment)


class Response(TenantRow, Base):
    """One anonymous answer. `answered_on` is the workspace's calendar day, nothing finer."""

    __tablename__ = "responses"
    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 10", name="score"),
        CheckConstraint(f"char_length(comment) <= {COMMENT_MAX_LENGTH}", name="comment_length"),
        CheckConstraint(
            "(standing = 'excluded') = (exclusion_reason IS NOT NULL)", name="exclusion_reason"
        ),
        CheckConstraint(
            "hold_reason IS NULL OR "
            "(standing = 'held' AND hold_reason IN ('too_fast', 'trap', 'flood'))",
            name="hold_reason",
        ),
        one_of("channel", Channel, "channel"),
        one_of("standing", Standing, "standing"),
        # Names survey and workspace, too: each reference is looked up for every answer, and all of
        # them together took more than half of the time in which a file comes in.
        ForeignKeyConstraint(
            ["workspace_id", "survey_id", "version_id"],
            [f"survey_versions.{name}" for name in ("workspace_id", "survey_id", "id")],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "segment_set_id"], ["segment_sets.workspace_id", "segment_sets.id"]
        ),
        ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
        # As answers are listed: of the latest day first, and within a day by their random ids.
        Index("ix_responses_listed", "workspace_id", "survey_id", text("answered_on DESC"), "id"),
    )

    workspace_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    version_id: Mapped[uuid.UUID] = mapped_column()
    segment_set_id: Mapped[uuid.UUID] = mapped_column()
    score: Mapped[int] = mapped_column(SmallInteger)
    comment: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    channel: Mapped[Channel] = mapped_column(Text)
    answered_on: Mapped[date] = mapped_column()
    standing: Mapped[Standing] = mapped_column(Text, default=Standing.COUNTED)
    exclusion_reason: Mapped[str | None] = mapped_column(Text)
    hold_reason: Mapped[HoldReason | None] = mapped_column(Text)
    import_id: Mapped[uuid.UUID | None] = mapped_column()
    # Excluded or taken back after its month was closed: subgroups keep what was closed.
    is_late_change: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # A manager's mark: shown beside the answer's day and never beside its labels.
    is_starred: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


Index(
    "ix_responses_import",
    Response.workspace_id,
    Response.import_id,
    postgresql_where=text("import_id IS NOT NULL"),
)
Index(
    "ix_responses_starred",
    Response.workspace_id,
    Response.survey_id,
    text("answered_on DESC"),
    Response.id,
    postgresql_where=text("is_starred"),
)
Index(
    "ix_responses_held",
    Response.workspace_id,
    Response.survey_id,
    postgresql_where=text("standing = 'held'"),
)


class SubmissionKey(TenantRow, Base):
    """What makes a retry the same answer; deleted once the next workspace day is over.

    No moment is stored: the answer's own day says when its key expires. `number` is the highest
    under which something came with the key, 1 to `FINAL`: what has a lower one came too late.
    """

    __tablename__ = "submission_keys"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
            deferrable=True,  # a key is claimed before its answer is written
            initially="DEFERRED",
        ),
        UniqueConstraint("workspace_id", "response_id"),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    response_id: Mapped[uuid.UUID] = mapped_column()
    number: Mapped[int] = mapped_column(SmallInteger)


class ResponseContact(TenantRow, Base):
    """The e-mail address that somebody chose to leave with their answer; goes with it, or alone."""

    __tablename__ = "response_contacts"
    __table_args__ = (
        CheckConstraint(f"char_length(address) <= {EMAIL_LIMIT}", name="address_length"),
        ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
    )

    response_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text)


class CommentTerms(TenantRow, Base):
    """The terms of an answer's comment, each once: `keys`, and how each was `written`.

    `comment_hash` tells whether the comment has been changed since, `rules` by which rules they
    were found (`terms.RULES`). The row goes with the answer.
    """

    __tablename__ = "comment_terms"
    __table_args__ = (
        CheckConstraint("cardinality(keys) = cardinality(written)", name="written"),
        ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
    )

    response_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    comment_hash: Mapped[int] = mapped_column(BigInteger)
    keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    written: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rules: Mapped[int] = mapped_column(BigInteger)


class DailyCount(TenantRow, Base):
    """How many answers of each score: one row per survey, day, segment set, language, channel
    and standing, kept in the transaction that writes the answer."""

    __tablename__ = "daily_counts"
    __table_args__ = (
        one_of("channel", Channel, "channel"),
        one_of("standing", Standing, "standing"),
        ForeignKeyConstraint(
            ["workspace_id", "segment_set_id"], ["segment_sets.workspace_id", "segment_sets.id"]
        ),
        _survey_key(),
        *(CheckConstraint(f"score_{score} >= 0", name=f"score_{score}") for score in SCORES),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    answered_on: Mapped[date] = mapped_column(primary_key=True)
    segment_set_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[Channel] = mapped_column(Text, primary_key=True)
    standing: Mapped[Standing] = mapped_column(Text, primary_key=True)
    score_0: Mapped[int] = mapped_column(default=0)
    score_1: Mapped[int] = mapped_column(default=0)
    score_2: Mapped[int] = mapped_column(default=0)
    score_3: Mapped[int] = mapped_column(default=0)
    score_4: Mapped[int] = mapped_column(default=0)
    score_5: Mapped[int] = mapped_column(default=0)
    score_6: Mapped[int] = mapped_column(default=0)
    score_7: Mapped[int] = mapped_column(default=0)
    score_8: Mapped[int] = mapped_column(default=0)
    score_9: Mapped[int] = mapped_column(default=0)
    score_10: Mapped[int] = mapped_column(default=0)


class Edition(TenantRow, Base):
    """Answers whose subgroup figures are published by themselves.

    A survey has one edition of what comes in time (`import_id` is null), closed month by month,
    and one for each import that reaches into months closed before it: what is late adds to
    nothing that is published. The months through which it is closed, published, and published by
    pairs of labels, are given by their first days.
    """

    __tablename__ = "editions"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
        _survey_key(),
        UniqueConstraint(
            "workspace_id", "survey_id", "import_id", postgresql_nulls_not_distinct=True
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    import_id: Mapped[uuid.UUID | None] = mapped_column()
    closed_through: Mapped[date | None] = mapped_column()
    published_through: Mapped[date | None] = mapped_column()
    paired_through: Mapped[date | None] = mapped_column()


class ClosedCount(TenantRow, Base):
    """Counted answers of an ended month as they stood when it was closed. Never changed."""

    __tablename__ = "closed_counts"
    __table_args__ = (
        one_of("channel", Channel, "channel"),
        ForeignKeyConstraint(
            ["workspace_id", "edition_id"],
            ["editions.workspace_id", "editions.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "segment_set_id"], ["segment_sets.workspace_id", "segment_sets.id"]
        ),
    )

    edition_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    segment_set_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[Channel] = mapped_column(Text, primary_key=True)
    score_0: Mapped[int] = mapped_column()
    score_1: Mapped[int] = mapped_column()
    score_2: Mapped[int] = mapped_column()
    score_3: Mapped[int] = mapped_column()
    score_4: Mapped[int] = mapped_column()
    score_5: Mapped[int] = mapped_column()
    score_6: Mapped[int] = mapped_column()
    score_7: Mapped[int] = mapped_column()
    score_8: Mapped[int] = mapped_column()
    score_9: Mapped[int] = mapped_column()
    score_10: Mapped[int] = mapped_column()


class Deletion(TenantRow, Base):
    """How many of a survey's answers were deleted on a workspace's calendar day, and why.

    Which ones they were is stored nowhere.
    """

    __tablename__ = "deletions"
    __table_args__ = (
        CheckConstraint("responses > 0", name="responses"),
        one_of("reason", DeletionReason, "reason"),
        _survey_key(),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    deleted_on: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[DeletionReason] = mapped_column(Text, primary_key=True)
    responses: Mapped[int] = mapped_column()


class MonthTotal(TenantRow, Base):
    """Everybody's answers of a month whose retention is over: all that is left of it by score.

    `month` is its first day. What was published of subgroups stays where it is.
    """

    __tablename__ = "month_totals"
    __table_args__ = (
        CheckConstraint("EXTRACT(day FROM month) = 1", name="month"),
        one_of("standing", Standing, "standing"),
        _survey_key(),
        *(CheckConstraint(f"score_{score} >= 0", name=f"score_{score}") for score in SCORES),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    standing: Mapped[Standing] = mapped_column(Text, primary_key=True)
    score_0: Mapped[int] = mapped_column()
    score_1: Mapped[int] = mapped_column()
    score_2: Mapped[int] = mapped_column()
    score_3: Mapped[int] = mapped_column()
    score_4: Mapped[int] = mapped_column()
    score_5: Mapped[int] = mapped_column()
    score_6: Mapped[int] = mapped_column()
    score_7: Mapped[int] = mapped_column()
    score_8: Mapped[int] = mapped_column()
    score_9: Mapped[int] = mapped_column()
    score_10: Mapped[int] = mapped_column()


class DayTotal(TenantRow, Base):
    """Everybody's answers of a day that is well past, added up from `daily_counts` for reports,
    and kept equal to them. See `day_totals`."""

    __tablename__ = "day_totals"
    __table_args__ = (
        one_of("standing", Standing, "standing"),
        _survey_key(),
        *(CheckConstraint(f"score_{score} >= 0", name=f"score_{score}") for score in SCORES),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    answered_on: Mapped[date] = mapped_column(primary_key=True)
    standing: Mapped[Standing] = mapped_column(Text, primary_key=True)
    score_0: Mapped[int] = mapped_column()
    score_1: Mapped[int] = mapped_column()
    score_2: Mapped[int] = mapped_column()
    score_3: Mapped[int] = mapped_column()
    score_4: Mapped[int] = mapped_column()
    score_5: Mapped[int] = mapped_column()
    score_6: Mapped[int] = mapped_column()
    score_7: Mapped[int] = mapped_column()
    score_8: Mapped[int] = mapped_column()
    score_9: Mapped[int] = mapped_column()
    score_10: Mapped[int] = mapped_column()
