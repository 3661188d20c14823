"""Read-only links to a report: making them, opening them, revoking them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import Workspace
from app.accounts.passwords import hash_password
from app.accounts.people import NAME_MAX_LENGTH, check_all, clean_password, clean_text, refused
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.database import enter_workspace
from app.foundation.errors import Conflict, Gone, NotFound
from app.foundation.settings import Settings
from app.foundation.tokens import digest, mint, new_id, workspace_of
from app.foundation.translation import mark
from app.reporting.sharing_tables import SharedReport

PREFIX = "hn_report_"
RANDOM_LENGTH = 22  # 131 bits: whoever has the link sees the report
HINT_LENGTH = 4
LIFETIMES_IN_DAYS = (7, 30, 90)
LONGEST_DAYS = 366
MOST_LIVING = 50  # of one survey, or of several: a list that nobody looks through protects nobody
UNLOCKED_FOR = timedelta(hours=12)
ENDED = mark("This report is not shared any more. Ask whoever sent you the link for a new one.")


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a manager asks for. `query` is the page's, read and found good before; there are
    comments of one survey only."""

    name: str
    query: str
    expires_on: date
    password: str = ""
    with_comments: bool = False


async def share_report(
    session: AsyncSession,
    settings: Settings,
    workspace: Workspace,
    actor: Actor,
    survey_id: uuid.UUID | None,
    given: ReportInput,
) -> tuple[SharedReport, str]:
    """A new link, and its address, which is shown once: only a hash of its token is stored.

    It is to a survey's dashboard, or without one to several surveys together. Invalid names what is
    refused; Conflict where there are as many links as may be.
    """
    today = clock.today(workspace.time_zone)
    check_all(
        lambda: clean_text("name", given.name, NAME_MAX_LENGTH),
        lambda: _check_day(given.expires_on, today),
        lambda: given.password and clean_password(given.password, (given.name,)),
    )
    await _refuse_too_many(session, workspace.id, survey_id, today)
    token = mint(PREFIX, workspace.id, RANDOM_LENGTH)
    report = SharedReport(
        workspace_id=workspace.id,
        id=new_id(),
        survey_id=survey_id,
        name=clean_text("name", given.name, NAME_MAX_LENGTH),
        query=given.query,
        with_comments=given.with_comments and survey_id is not None,
        token_hash=digest(settings.secret_key, token),
        hint=token[-HINT_LENGTH:],
        password_hash=await hash_password(given.password) if given.password else None,
        expires_on=given.expires_on,
        openings=0,
        created_at=clock.now(),
    )
    session.add(report)
    details = {"name": report.name, "filter": report.query}
    if survey_id is not None:
        details["survey"] = str(survey_id)
    record_event(session, report.workspace_id, actor, "report.shared", report.id, details)
    await session.flush()
    return report, f"{settings.public_url}{report_path(token)}"


def report_path(token: str) -> str:
    """Where a link leads."""
    return f"/shared/{token}"


def _check_day(expires_on: date, today: date) -> None:
    if not today <= expires_on <= today + timedelta(days=LONGEST_DAYS):
        raise refused("expires_on", mark("Choose a day within a year from today."))


async def _refuse_too_many(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID | None, today: date
) -> None:
    living = await session.scalar(
        select(func.count()).where(
            SharedReport.workspace_id == workspace_id,
            SharedReport.survey_id == survey_id,
            SharedReport.revoked_at.is_(None),
            SharedReport.expires_on >= today,
        )
    )
    if (living or 0) >= MOST_LIVING:
        of_one = mark("This survey has 50 shared reports. Revoke one of them first.")
        of_several = mark("Several surveys have 50 shared reports. Revoke one of them first.")
        raise Conflict(of_one if survey_id else of_several)


async def list_shared_reports(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID | None, most: int
) -> Sequence[SharedReport]:
    """The links to a survey, or without one to several, the latest first, without revoked ones."""
    rows = await session.scalars(
        select(SharedReport)
        .where(
            SharedReport.workspace_id == workspace_id,
            SharedReport.survey_id == survey_id,
            SharedReport.revoked_at.is_(None),
        )
        .order_by(SharedReport.created_at.desc(), SharedReport.id)
        .limit(most)
    )
    return rows.all()


async def revoke_shared_report(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID | None,
    report_id: uuid.UUID,
) -> None:
    """Show the report to nobody from now on; NotFound where the survey, or without one several
    surveys, have no such living link."""
    name = await session.scalar(
        update(SharedReport)
        .where(
            SharedReport.workspace_id == workspace_id,
            SharedReport.survey_id == survey_id,
            SharedReport.id == report_id,
            SharedReport.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
        .returning(SharedReport.name)
    )
    if name is None:
        raise NotFound
    record_event(session, workspace_id, actor, "report.revoked", report_id, {"name": name})


async def find_shared_report(session: AsyncSession, settings: Settings, token: str) -> SharedReport:
    """The report that a link shows, its workspace entered.

    NotFound for a link that never was, or whose workspace is deleted; Gone for one that has
    expired or was revoked.
    """
    workspace_id = workspace_of(PREFIX, token, RANDOM_LENGTH)
    if workspace_id is None:
        raise NotFound
    await enter_workspace(session, workspace_id)
    row = (
        await session.execute(
            select(SharedReport, Workspace.time_zone)
            .join(Workspace, Workspace.id == SharedReport.workspace_id)
            .where(
                SharedReport.workspace_id == workspace_id,
                SharedReport.token_hash == digest(settings.secret_key, token),
                Workspace.deleted_at.is_(None),
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    report, time_zone = row
    if report.revoked_at is not None or report.expires_on < clock.today(time_zone):
        raise Gone(ENDED)
    found: SharedReport = report
    return found


async def count_opening(session: AsyncSession, report: SharedReport) -> None:
    """One more time that the report was shown."""
    await session.execute(
        update(SharedReport)
        .where(SharedReport.workspace_id == report.workspace_id, SharedReport.id == report.id)
        .values(openings=SharedReport.openings + 1)
    )


def unlock(settings: Settings, report: SharedReport) -> str:
    """What a browser keeps once the password was right: good for this link and this password."""
    until = int((clock.now() + UNLOCKED_FOR).timestamp())
    return str(_serializer(settings, report).dumps(until))


def is_unlocked(settings: Settings, report: SharedReport, kept: str) -> bool:
    """Whether a report may be shown to a browser that keeps `kept`."""
    if report.password_hash is None:
        return True
    try:
        until: int = _serializer(settings, report).loads(kept)
    except BadSignature:
        return False
    return clock.now().timestamp() < until


def _serializer(settings: Settings, report: SharedReport) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key, f"report {report.id} {report.password_hash}")
