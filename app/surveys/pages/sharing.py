"""HTML routes of sharing: the link, its QR code, links for channels and segments."""

import io
import uuid
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.foundation import clock
from app.foundation.errors import Conflict, Invalid, InvalidParam
from app.foundation.paging import MAX_PAGE_SIZE, PAGE_SIZE
from app.foundation.translation import gettext, mark
from app.foundation.web.edge import PAGE_CSP
from app.surveys.inputs import LinkInput
from app.surveys.links import LINK_CHANNELS, create_link, repoint_link, revoke_link
from app.surveys.listings import get_link, list_links, list_surveys
from app.surveys.models import Channel, DimensionSource
from app.surveys.pages.forms import NO_ERRORS, FormErrors, errors_of
from app.surveys.pages.showing import lead_to, public_url, show, survey_path
from app.surveys.queries import get_questionnaire
from app.surveys.shapes import form_url

router = APIRouter(prefix="/w/{workspace}/surveys/{survey_id}")

CHANNEL_LABELS = {
    Channel.LINK: mark("A link, anywhere"),
    Channel.QR: mark("A printed QR code"),
    Channel.EMAIL: mark("An e-mail"),
    Channel.EMBED: mark("A web page or an app"),
}
# The buttons that copy, and the preview of the form.
SHARE_CSP = f"{PAGE_CSP}; script-src 'self'; frame-src 'self'"
PNG_SCALE = 20  # pixels a module: sharp on a poster
SVG_SCALE = 6


@router.get("/share")
async def show_share(
    request: Request, member: SignedInMember, survey_id: uuid.UUID, cursor: str | None = None
) -> HTMLResponse:
    return await share_page(request, member, survey_id, cursor=cursor)


async def share_page(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    status: int = 200,
    cursor: str | None = None,
    typed: dict[str, str] | None = None,
    errors: FormErrors = NO_ERRORS,
) -> HTMLResponse:
    """Everything that leads to the form; with what was refused, where something was."""
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    page = await list_links(member.session, member.workspace_id, survey_id, PAGE_SIZE, cursor)
    own = (await list_links(member.session, member.workspace_id, survey_id, 1)).rows[0]
    others = await list_surveys(member.session, member.workspace_id, MAX_PAGE_SIZE)
    url = form_url(public_url(request), own.slug)
    shown = show(
        request,
        "surveys/share.html",
        status,
        survey=survey,
        own=own,
        url=url,
        qr_svg=Markup(_code(url).svg_inline(scale=SVG_SCALE, light="#fff")),  # noqa: S704
        links=[link for link in page.rows if not link.is_default],
        next_cursor=page.next_cursor,
        targets=[row.survey for row in others.rows if row.survey.id != survey_id],
        dimensions=[d for d in survey.dimensions if d.source is DimensionSource.LINK],
        channels=[(channel.value, gettext(CHANNEL_LABELS[channel])) for channel in LINK_CHANNELS],
        channel_labels=CHANNEL_LABELS,
        today=clock.today(survey.time_zone),
        public_url=public_url(request),
        typed=typed or {},
        errors=errors,
    )
    shown.headers["Content-Security-Policy"] = SHARE_CSP
    return shown


def _code(url: str) -> segno.QRCode:
    """Error correction M survives a crease or a stain on paper."""
    return segno.make(url, error="m", micro=False)


@router.get("/links/{link_id}/qr.svg")
async def download_svg(
    request: Request, member: SignedInMember, survey_id: uuid.UUID, link_id: uuid.UUID
) -> Response:
    return await _download(request, member, survey_id, link_id, "svg", "image/svg+xml", SVG_SCALE)


@router.get("/links/{link_id}/qr.png")
async def download_png(
    request: Request, member: SignedInMember, survey_id: uuid.UUID, link_id: uuid.UUID
) -> Response:
    return await _download(request, member, survey_id, link_id, "png", "image/png", PNG_SCALE)


async def _download(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    link_id: uuid.UUID,
    kind: str,
    media_type: str,
    scale: int,
) -> Response:
    link = await get_link(member.session, member.workspace_id, survey_id, link_id)
    picture = io.BytesIO()
    _code(form_url(public_url(request), link.slug)).save(
        picture, kind=kind, scale=scale, light="#fff"
    )
    # The slug alone: a name may hold characters that a header or a file system refuses.
    disposition = {"Content-Disposition": f'attachment; filename="survey-{link.slug}.{kind}"'}
    return Response(picture.getvalue(), media_type=media_type, headers=disposition)


@router.post("/links")
async def create(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    sent = await request.form()
    typed = {name: value for name, value in sent.items() if isinstance(value, str)}
    try:
        given = LinkInput(
            name=typed.get("name", ""), channel=_channel(typed), preset=_preset(typed)
        )
        await create_link(member.session, member.workspace_id, member.actor, survey_id, given)
    except Invalid as error:
        return await share_page(
            request, member, survey_id, error.status, typed=typed, errors=errors_of(error)
        )
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "linked")


def _channel(typed: dict[str, str]) -> Channel:
    wanted = typed.get("channel", Channel.LINK)
    if wanted not in [channel.value for channel in Channel]:
        raise Invalid(
            mark("See which inputs were refused."),
            invalid_params=[InvalidParam("channel", mark("Choose link, qr, email or embed."))],
        )
    return Channel(wanted)


def _preset(typed: dict[str, str]) -> dict[str, str]:
    """The chosen segment values; the empty choice presets nothing."""
    start = "preset."
    return {
        name.removeprefix(start): value
        for name, value in typed.items()
        if name.startswith(start) and value
    }


@router.post("/links/{link_id}/revocation")
async def revoke(member: WorkspaceManager, survey_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    await revoke_link(member.session, member.workspace_id, member.actor, survey_id, link_id)
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "revoked")


@router.post("/links/{link_id}/survey")
async def repoint(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    link_id: uuid.UUID,
    target: Annotated[str, Form()] = "",
) -> Response:
    try:
        await repoint_link(
            member.session, member.workspace_id, member.actor, survey_id, link_id, _target(target)
        )
    except (Invalid, Conflict) as error:
        return await share_page(request, member, survey_id, error.status, errors=errors_of(error))
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "led")


def _target(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        reason = mark("Choose a survey.")
        raise Invalid(
            mark("See which inputs were refused."), invalid_params=[InvalidParam("target", reason)]
        ) from None
