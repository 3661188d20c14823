"""What people upload as a logo, and what is left of it."""

import contextlib
import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from app.accounts.logos import BOX, MAX_SIDE, UPLOAD_MAX_BYTES, DrawnLogo, draw_logo
from app.accounts.models import LOGO_MAX_BYTES, LogoGround
from app.foundation.errors import Invalid
from app.foundation.tokens import fingerprint

SECRET = b"GPS 35.6 139.7"


def saved(image: Image.Image, kind: str = "PNG", **choices: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **choices)
    return file.getvalue()


def sign(colour: str = "#20308f", size: tuple[int, int] = (600, 150)) -> Image.Image:
    """A disc on nothing."""
    image = Image.new("RGBA", size)
    ImageDraw.Draw(image).ellipse((0, 0, size[1] - 1, size[1] - 1), fill=colour)
    ImageDraw.Draw(image).rectangle((size[1] + 20, 40, size[0] - 1, 100), fill=colour)
    return image


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    dots = random.Random(1).randbytes(width * height * channels)
    return Image.frombytes(mode, (width, height), dots)


def opened(logo: DrawnLogo) -> Image.Image:
    image = Image.open(io.BytesIO(logo.content))
    image.load()
    return image


def reason(content: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        draw_logo(content)
    [param] = refused.value.invalid_params
    assert param.name == "logo"
    return param.text()


def draw_or_refuse(content: bytes) -> None:
    """Either is right for what is damaged; anything but `Invalid` would be an accident."""
    with contextlib.suppress(Invalid):
        logo = draw_logo(content)
        assert len(logo.content) <= LOGO_MAX_BYTES
        opened(logo)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGBA"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "L"), ("PNG", "1"),
        ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"),
        ("WEBP", "RGB"), ("WEBP", "RGBA"), ("GIF", "P"), ("GIF", "L"),
    ],
)  # fmt: skip
def test_pictures_of_all_kinds_are_drawn_anew(kind: str, mode: str) -> None:
    image = Image.new("I;16", (600, 150), 30_000) if mode == "I;16" else sign().convert("RGBA")
    image = image if mode == "I;16" else image.convert("RGB" if mode == "CMYK" else mode)
    logo = draw_logo(saved(image.convert("CMYK") if mode == "CMYK" else image, kind))
    drawn = opened(logo)
    assert f"image/{(drawn.format or '').lower()}" == logo.type
    assert drawn.size == (logo.width, logo.height) == (480, 120)
    assert len(logo.content) <= LOGO_MAX_BYTES
    assert logo.hash == fingerprint(logo.content).hex()[:32]


def test_transparency_stays_and_its_margins_go() -> None:
    around = Image.new("RGBA", (1_000, 1_000))
    around.paste(sign(), (200, 400))
    logo = draw_logo(saved(around))
    drawn = opened(logo)
    assert drawn.mode == "RGBA"
    assert drawn.getchannel("A").getextrema() == (0, 255)
    assert (logo.width, logo.height) == (480, 120)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [BOX, (128, 128), (4_096, 8), (8, 700), (1, 1)])
def test_any_picture_becomes_small_enough(size: tuple[int, int], mode: str) -> None:
    logo = draw_logo(saved(noise(*size, mode)))
    assert len(logo.content) <= LOGO_MAX_BYTES
    assert 1 <= logo.width <= BOX[0]
    assert 1 <= logo.height <= BOX[1]
    opened(logo)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x0112] = 6  # lying on its side
    return exif


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_with_texts() -> bytes:
    whole = saved(sign())
    # After the header, and something after the end.
    return whole[:33] + chunk(b"tEXt", b"Comment\x00" + SECRET) + whole[33:] + SECRET


METADATA: dict[str, Callable[[], bytes]] = {
    "jpeg exif": lambda: saved(sign().convert("RGB"), "JPEG", exif=_exif()),
    "jpeg comment": lambda: saved(sign().convert("RGB"), "JPEG", comment=SECRET),
    "jpeg icc": lambda: saved(sign().convert("RGB"), "JPEG", icc_profile=SECRET * 9),
    "png exif": lambda: saved(sign(), exif=_exif()),
    "png icc": lambda: saved(sign(), icc_profile=SECRET * 9),
    "png texts": _png_with_texts,
    "webp exif": lambda: saved(sign(), "WEBP", exif=_exif().tobytes()),
    "webp xmp": lambda: saved(sign(), "WEBP", xmp=SECRET, icc_profile=SECRET),
    "gif comment": lambda: saved(sign().convert("P"), "GIF", comment=SECRET),
}


@pytest.mark.parametrize("name", METADATA)
def test_no_metadata_survives(name: str) -> None:
    content = METADATA[name]()
    logo = draw_logo(content)
    assert SECRET not in logo.content
    drawn = opened(logo)
    assert not drawn.getexif()
    assert {"exif", "icc_profile", "xmp", "comment"} & set(drawn.info) == set()
    for marker in (b"EXIF", b"ICCP", b"iCCP", b"XMP ", b"tEXt", b"eXIf"):
        assert marker not in logo.content


def test_a_picture_on_its_side_is_set_upright() -> None:
    logo = draw_logo(saved(sign(size=(150, 100)).convert("RGB"), "JPEG", exif=_exif()))
    assert logo.height > logo.width


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_stays(kind: str) -> None:
    frames = [Image.new("RGB", (200, 100), colour) for colour in ("red", "lime", "blue")]
    logo = draw_logo(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    drawn = opened(logo)
    assert getattr(drawn, "n_frames", 1) == 1
    red, green, blue = drawn.convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg><svg/>",
        b"\n\n  <!-- a --><SVG/>",
        b"\x1f\x8b\x08compressed",
    ],
)
def test_svg_is_refused_with_the_reason(content: bytes) -> None:
    assert "SVG" in reason(content)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"GIF89a",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"II*\x00\x08\x00\x00\x00",
        saved(sign().convert("RGB"), "BMP"),
        saved(sign(), "TIFF"),
        saved(sign(), "ICO"),
    ],
)
def test_what_is_no_picture_of_ours_is_refused(content: bytes) -> None:
    assert "PNG, JPEG, WebP or GIF" in reason(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_picture_is_refused(kind: str) -> None:
    whole = saved(noise(300, 200), kind)
    for share in (0.1, 0.5, 0.9):
        assert "no picture that can be read" in reason(whole[: int(len(whole) * share)])


def test_nothing_and_too_much_are_refused() -> None:
    assert "Choose a picture" in reason(b"")
    assert "2 MB" in reason(b"\x89PNG" + bytes(UPLOAD_MAX_BYTES))
    assert "transparent" in reason(saved(Image.new("RGBA", (50, 50))))


def _bomb(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (10_000, 9_000), (50_000, 50_000)]
)
def test_decompression_bombs_are_refused_by_their_header(width: int, height: int) -> None:
    assert str(MAX_SIDE) in reason(_bomb(width, height))


def test_a_profile_that_swells_is_refused_or_ignored() -> None:
    """60 MB of zeros in 60 kB: nothing unpacks more than a megabyte of it."""
    whole = saved(sign())
    profile = chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(60_000_000), 9))
    draw_or_refuse(whole[:33] + profile + whole[33:])


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.data())
def test_damage_is_refused_or_drawn_but_never_an_accident(kind: str, data: st.DataObject) -> None:
    image = sign(size=(60, 30))
    content = bytearray(saved(image.convert("P" if kind == "GIF" else "RGB"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    draw_or_refuse(bytes(content))


@pytest.mark.parametrize(
    ("image", "ground"),
    [
        (sign("#111111"), LogoGround.LIGHT),
        (sign("#20308f"), LogoGround.LIGHT),
        (sign("#ffffff"), LogoGround.DARK),
        (sign("#ffe97a"), LogoGround.DARK),
        (sign("#e8590c"), LogoGround.ANY),
        (sign("#111111").convert("RGB"), LogoGround.ANY),
    ],
)
def test_a_logo_that_would_vanish_says_where(image: Image.Image, ground: LogoGround) -> None:
    assert draw_logo(saved(image)).ground is ground
