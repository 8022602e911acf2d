"""Uploaded pictures, made anew: what is stored was drawn here, pixel by pixel.

Nothing of the file survives but its pixels, so neither does what may hide in it: places and names
in EXIF, a second file behind the first, scripts.
"""

import io
import struct
from dataclasses import dataclass, field
from typing import Any

from portal.domain.errors import N_, RuleError, refuse

LARGEST_FILE = 256_000
# A picture is opened only up to these; no screen shows a logo larger.
SMALLEST_SIDE, LARGEST_SIDE = 16, 4_000
MOST_PIXELS = 4_000_000
# Stored for screens with two pixels to the point.
BOX = (640, 240)
# A photograph has ten; each costs a walk over the whole picture.
MOST_SCANS = 100
_KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_UNREADABLE = N_("This file is damaged or not a picture. Save it again as PNG, and upload that.")
_TOO_LARGE = N_("The picture may have at most 4,000 pixels a side and 4 million in all.")


@dataclass(frozen=True)
class Picture:
    """A picture as it is stored and sent."""

    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)


def redraw(data: bytes) -> Picture:
    """The picture in an uploaded file, or a `RuleError` on `logo`."""
    _look_at_the_file(data)
    # Loaded when it is used: nothing else of the portal draws, and it is large.
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(data), formats=tuple(_KINDS)) as opened:
            _check_size(opened.size)
            opened.load()
            kind = str(opened.format)
            drawn = ImageOps.exif_transpose(opened)
            if drawn.mode.startswith("I"):
                # Grey of 16 bits: converting it at once would make all but the darkest white.
                drawn = drawn.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
            picture = drawn.convert("RGB" if kind == "JPEG" else "RGBA")
    except RuleError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refuse(_TOO_LARGE, field="logo") from error
    # A decoder fails in as many ways as a file can be broken; all of them mean the same.
    except Exception as error:
        raise refuse(_UNREADABLE, field="logo") from error
    picture.thumbnail(BOX)
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return _stored(bare, kind)


def _stored(picture: Any, kind: str) -> Picture:
    # Not every mail program shows WebP.
    kind = "JPEG" if kind == "JPEG" else "PNG"
    written = io.BytesIO()
    picture.save(written, kind, optimize=True, **({"quality": 90} if kind == "JPEG" else {}))
    return Picture(_KINDS[kind], picture.width, picture.height, written.getvalue())


def _look_at_the_file(data: bytes) -> None:
    if not data:
        raise refuse(N_("Choose a picture first."), field="logo")
    if len(data) > LARGEST_FILE:
        raise refuse(
            N_("The file may have at most 256 kB. Make the picture smaller."), field="logo"
        )
    if _is_markup(data):
        raise refuse(
            N_("SVG can hold scripts and is not taken. Save the logo as PNG, and upload that."),
            field="logo",
        )
    if data[:4] == b"RIFF":
        # Its decoder would reserve memory for the whole canvas before anything can be asked.
        _check_size(_webp_size(data))
    elif data[:2] == b"\xff\xd8" and data.count(b"\xff\xda") > MOST_SCANS:
        raise refuse(_UNREADABLE, field="logo")


def _is_markup(data: bytes) -> bool:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--"))


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if max(size) > LARGEST_SIDE or width * height > MOST_PIXELS:
        raise refuse(_TOO_LARGE, field="logo")
    if min(size) < SMALLEST_SIDE:
        raise refuse(N_("The picture must have at least 16 pixels a side."), field="logo")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in the header (RFC 9649); nothing of it is believed later on."""
    try:
        if data[12:16] == b"VP8X":
            wide, high = data[24:27] + b"\0", data[27:30] + b"\0"
            return struct.unpack("<I", wide)[0] + 1, struct.unpack("<I", high)[0] + 1
        if data[12:16] == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        wide, high = struct.unpack_from("<HH", data, 26)
    except struct.error as error:
        raise refuse(_UNREADABLE, field="logo") from error
    return wide & 0x3FFF, high & 0x3FFF
