"""A logo is made anew from its picture, and what is no honest picture is refused."""

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from portal.domain.errors import RuleError
from portal.settings import pictures
from portal.settings.pictures import redraw
from tests.support.uploads import ATTACKS, picture


@pytest.mark.parametrize(
    ("kind", "mode", "stored"),
    [
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("WEBP", "RGBA", "image/png"),
        ("WEBP", "RGB", "image/png"),
    ],
)
def test_pictures_of_each_kind_are_made_anew(kind, mode, stored):
    found = redraw(picture((2000, 500), kind, mode))
    assert (found.media_type, found.width, found.height) == (stored, 640, 160)
    with Image.open(io.BytesIO(found.content)) as again:
        assert again.size == (640, 160)


def test_grey_of_sixteen_bits_keeps_its_shades():
    grey = Image.new("I;16", (300, 100), 32_768)
    written = io.BytesIO()
    grey.save(written, "PNG")
    with Image.open(io.BytesIO(redraw(written.getvalue()).content)) as again:
        assert again.convert("L").getextrema() == (128, 128)


def test_nothing_that_hides_in_a_picture_survives():
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    exif[0x0112] = 6
    hidden = b"<script>alert(1)</script>PK\x03\x04 SECRET"
    found = redraw(picture((200, 100), "JPEG", exif=exif, comment=b"SECRET", dpi=(72, 72)) + hidden)
    assert (found.width, found.height) == (100, 200)
    assert b"SECRET" not in found.content
    assert b"<script" not in found.content
    assert b"Exif" not in found.content
    found = redraw(picture(icc_profile=b"SECRET" * 40) + hidden)
    assert b"SECRET" not in found.content
    assert b"iCCP" not in found.content


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_no_honest_picture_is_refused_with_a_sentence(name):
    data, said = ATTACKS[name]
    with pytest.raises(RuleError, match=said) as refused:
        redraw(data)
    assert refused.value.field == "logo"


@given(some.binary(max_size=300), some.sampled_from(["PNG", "JPEG", "WEBP"]), some.integers(0, 400))
def test_a_broken_picture_never_ends_in_an_error_of_ours(noise, kind, place):
    data = picture((40, 40), kind)
    broken = data[:place] + noise + data[place + len(noise) :]
    with contextlib.suppress(RuleError):
        assert redraw(broken).width <= pictures.BOX[0]
