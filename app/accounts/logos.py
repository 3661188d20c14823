"""An uploaded logo, drawn anew: its pixels are kept and nothing else of the file.

What people upload may be broken or built to do harm. It is decoded as one of four formats, within
bounds that its header already shows, shrunk, and written by us; so no metadata, no further frame
and no hidden part of the file reaches a respondent.
"""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageOps

from app.accounts.models import LOGO_MAX_BYTES, LogoGround, LogoType
from app.accounts.people import refused
from app.foundation.errors import Invalid
from app.foundation.tokens import fingerprint
from app.foundation.translation import mark

FIELD = "logo"
MIB = 1024 * 1024
UPLOAD_MAX_BYTES = 2 * MIB
MAX_SIDE = 4096  # pixels; 64 MiB once decoded
BOX = (480, 128)  # pixels: more than twice what a form shows
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
QUALITIES = (90, 75, 60)
SHRINK = 0.75
# Grey levels that stand out from the form's dark page and from its light one, about 2:1.
SEEN_ON_DARK, SEEN_ON_LIGHT = 78, 184
ENOUGH_SEEN = 0.9  # of what is painted
# Decoding needs up to 200 MB: one upload after the other.
_TURN = threading.Lock()


@dataclass(frozen=True, slots=True)
class DrawnLogo:
    """A logo as it is kept; `width` and `height` in pixels."""

    content: bytes
    type: LogoType
    hash: str
    width: int
    height: int
    ground: LogoGround


def draw_logo(content: bytes) -> DrawnLogo:
    """The picture in `content` in at most 480 × 128 pixels and 20,000 bytes, without metadata.

    Invalid where it is no PNG, JPEG, WebP or GIF, damaged, empty or too large. Slow: up to some
    seconds, so call it in a thread.
    """
    if len(content) > UPLOAD_MAX_BYTES:
        raise _refused(mark("The file is larger than 2 MB; upload a smaller picture."))
    if not content:
        raise _refused(mark("Choose a picture first."))
    if _is_svg(content):
        raise _refused(
            mark("SVG files can carry programs and are not taken; upload the logo as PNG.")
        )
    with _TURN:
        return _write(_read(content))


def _is_svg(content: bytes) -> bool:
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return b"<svg" in start or start.startswith(b"<?xml") or content[:2] == b"\x1f\x8b"


def _read(content: bytes) -> Image.Image:
    """The first frame, upright, in RGBA, shrunk into the box, without transparent margins."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if max(picture.size) > MAX_SIDE:
                raise _too_many_pixels()
            picture.draft("RGB", (2 * BOX[0], 2 * BOX[1]))
            picture.load()
            image = _cropped(_in_rgba(ImageOps.exif_transpose(picture)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Invalid:
        raise
    # A damaged file makes a decoder stumble over anything; it never is our mistake.
    except Exception as error:
        raise _refused(
            mark("This is no picture that can be read; upload a PNG, JPEG, WebP or GIF.")
        ) from error
    image.thumbnail(BOX, Image.Resampling.LANCZOS)
    return image


def _in_rgba(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits of grey, which convert() would only cut off
        picture = picture.convert("I").point(lambda level: level / 256).convert("L")
    return picture.convert("RGBA")


def _cropped(image: Image.Image) -> Image.Image:
    painted = image.getchannel("A").getbbox()
    if painted is None:
        raise _refused(mark("Nothing is to be seen on this picture: all of it is transparent."))
    return image.crop(painted)


def _write(image: Image.Image) -> DrawnLogo:
    """The first of ever smaller writings that is small enough."""
    if _is_opaque(image):
        image = image.convert("RGB")
    ground = _ground_of(image)
    for shown in _ever_smaller(image):
        for content, kind in _writings(shown):
            if len(content) <= LOGO_MAX_BYTES:
                name = fingerprint(content).hex()[:32]
                return DrawnLogo(content, kind, name, shown.width, shown.height, ground)
    raise AssertionError("one pixel fits")


def _ever_smaller(image: Image.Image) -> Iterator[Image.Image]:
    scale = 1.0
    while True:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        yield image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image
        if size == (1, 1):
            return
        scale *= SHRINK


def _writings(image: Image.Image) -> Iterator[tuple[bytes, LogoType]]:
    """Exact ones first, the smaller before the larger; then ever coarser ones."""
    exact = [
        (_saved(image, "WEBP", lossless=True, quality=80, method=4), LogoType.WEBP),
        (_saved(image, "PNG", optimize=True), LogoType.PNG),
    ]
    yield min(exact, key=lambda writing: len(writing[0]))
    for quality in QUALITIES:
        yield _saved(image, "WEBP", quality=quality, method=4), LogoType.WEBP


def _saved(image: Image.Image, kind: str, **choices: int | bool) -> bytes:
    file = io.BytesIO()
    # A copy from the pixels alone: what else the file said stays on the object that read it.
    Image.frombytes(image.mode, image.size, image.tobytes()).save(file, kind, **choices)
    return file.getvalue()


def _is_opaque(image: Image.Image) -> bool:
    return image.getchannel("A").getextrema() == (255, 255)


def _ground_of(image: Image.Image) -> LogoGround:
    """Where the logo is seen: a picture without transparency brings its own ground."""
    if image.mode == "RGB":
        return LogoGround.ANY
    mask = image.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0)
    levels = image.convert("L").histogram(mask)
    painted = sum(levels) or 1
    if sum(levels[SEEN_ON_DARK:]) / painted < ENOUGH_SEEN:
        return LogoGround.LIGHT
    if sum(levels[:SEEN_ON_LIGHT]) / painted < 1 - ENOUGH_SEEN:
        return LogoGround.DARK
    return LogoGround.ANY


def _too_many_pixels() -> Invalid:
    return _refused(
        mark("The picture has more than %(side)s pixels on a side; upload a smaller one."),
        side=MAX_SIDE,
    )


def _refused(reason: str, **values: object) -> Invalid:
    return refused(FIELD, reason, **values)
