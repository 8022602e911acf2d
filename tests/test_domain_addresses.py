"""E-mail addresses and search words."""

import idna
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from portal.domain.emails import ascii_domain, check_email, domain_of, normalise, same_domain, shown
from portal.domain.errors import RuleError
from portal.domain.searching import ESCAPE, contains, escape_like

# Search


@pytest.mark.parametrize(
    ("text", "escaped"), [("50%", r"50\%"), ("a_b", r"a\_b"), ("\\", r"\\"), (r"\%", r"\\\%")]
)
def test_the_signs_of_like_are_taken_literally(text, escaped):
    assert escape_like(text) == escaped


@given(st.text(alphabet="ab%_\\"))
def test_an_escaped_text_has_no_sign_left_that_like_would_read(text):
    rest = escape_like(text).replace(ESCAPE * 2, "")
    assert rest.replace(ESCAPE + "%", "").replace(ESCAPE + "_", "").strip("ab") == ""


def test_a_search_ignores_case_and_accents():
    assert contains(" ÉLAN 5% ") == r"%elan 5\%%"


# Addresses


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@MU\u0308NCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@例え。jp", "ada@xn--r8jz45g.jp"),
        ("no domain", "no domain"),
    ],
)
def test_an_address_has_one_stored_form(typed, stored):
    assert normalise(typed) == stored
    assert normalise(stored) == stored


HANGUL_FILLERS = "\u115f\u1160"  # invisible; the form's own check refuses them
LETTERS = st.characters(
    categories=["Ll", "Lo", "Lu"], max_codepoint=0x3000, exclude_characters=HANGUL_FILLERS
)


@given(st.text(LETTERS, min_size=1))
def test_a_domain_becomes_what_browsers_and_mail_servers_make_of_it(label):
    try:
        expected = idna.encode(f"{label}.example", uts46=True).decode()
    except idna.IDNAError:
        assume(False)
    assert ascii_domain(f"{label}.example") == expected


@given(st.text())
@example("@\u00b8\x1b")
def test_normalising_twice_changes_nothing_more(address):
    assert normalise(normalise(address)) == normalise(address)


def test_a_stored_address_is_shown_with_its_letters_unless_they_deceive():
    assert shown("ada@xn--mnchen-3ya.example") == "ada@münchen.example"
    assert shown("ada@xn--\u0430.example") == "ada@xn--\u0430.example"
    assert shown("ada@xn--99999999999.example") == "ada@xn--99999999999.example"
    assert shown("ada@example.com") == "ada@example.com"


def test_domains_are_compared_in_their_stored_form():
    assert same_domain("a@Example.com", "b@example.COM.")
    assert same_domain("a@münchen.example", "b@xn--mnchen-3ya.example")
    assert not same_domain("a@example.com", "a@mail.example.com")
    assert not same_domain("a", "b")
    assert domain_of("nobody") == ""


@pytest.mark.parametrize("address", ["ada@example.com", "a.b+c'd@x-y.example", "müller@a.example"])
def test_a_plausible_address_is_taken(address):
    assert check_email(address, field="owner_email") == address


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "a b@example.com",
        "ada@exa mple.com",
        "ada@@example.com",
        "ada@example..com",
        "<ada>@example.com",
        "ada\x00@example.com",
        f"{'x' * 65}@example.com",
        f"ada@{'x' * 64}.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada\u202e@example.com",
    ],
)
def test_what_is_no_address_is_refused_at_its_field(address):
    with pytest.raises(RuleError, match="name@example") as caught:
        check_email(address, field="owner_email")
    assert caught.value.field == "owner_email"


def test_an_empty_address_has_its_own_sentence_and_a_long_one_too():
    with pytest.raises(RuleError, match="Who owns it"):
        check_email("  ", field="owner_email", missing="Who owns it?")
    with pytest.raises(RuleError, match="Shorten it by"):
        check_email(f"{'x' * 60}@{'.'.join(['y' * 60] * 3)}.{'z' * 30}", field="owner_email")


@given(st.text() | st.emails())
def test_an_address_is_refused_or_fit_for_a_mail_header(address):
    try:
        stored = check_email(address, field="owner_email")
    except RuleError:
        return
    assert len(stored) <= 254
    assert not set(stored) & set("\r\n\x00 ,<>")
    assert stored.rpartition("@")[2].isascii()
