"""Names of domains, and what look-ups make of a claim: the rules alone."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.claimed_domains import (
    GRACE,
    NAME_LIMIT,
    PREFIX,
    WAITS,
    Answer,
    Claim,
    DomainState,
    Turn,
    after,
    answer_in,
    begin,
    check_domain,
)
from portal.domain.emails import domain_of
from portal.domain.errors import RuleError

NOW = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))


@given(st.text(max_size=300))
def test_whatever_is_typed_is_refused_with_a_sentence_or_stored_once_and_for_all(text):
    try:
        name = check_domain(text, field="domain")
    except RuleError:
        return
    assert name.isascii()
    assert name == name.lower().strip().rstrip(".")
    assert 3 <= len(name) <= NAME_LIMIT
    assert "." in name
    assert check_domain(name, field="domain") == name
    assert domain_of(f"eva@{name}") == name, "members' addresses are compared with it as it is"


@given(NAMES, st.sampled_from(["", " ", "\t"]), st.sampled_from(["", "."]))
def test_case_blanks_and_the_last_dot_make_no_other_domain(name, blank, dot):
    assert check_domain(f"{blank}{name.upper()}{dot}{blank}", field="domain") == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。example", "xn--r8jz45g.example"),
        ("XN--BCHER-KVA.EXAMPLE", "xn--bcher-kva.example"),
        ("a.b.acme.co.uk", "a.b.acme.co.uk"),
    ],
)
def test_letters_of_all_scripts_become_what_name_servers_know(typed, stored):
    assert check_domain(typed, field="domain") == stored


@pytest.mark.parametrize(
    "typed",
    [
        *("acme", "com", "localhost", "co.uk", "192.0.2.1", "[::1]", "a..b", ".example"),
        *("-a.example", "a-.example", "a_b.example", "*.acme.example", "a b.example"),
        *("https://acme.example", "acme.example/path", "eva@acme.example", "acme.example:53"),
        *("ab--cd.example", "xn--.example", "xn--abc-.example", "xn--acme-.example"),
        *("x" * 64 + ".example", ".".join(["abcdefgh"] * 32), "printer.local", "host.internal"),
    ],
)
def test_what_nobody_could_verify_is_refused(typed):
    with pytest.raises(RuleError):
        check_domain(typed, field="domain")


@given(st.lists(st.sampled_from(list(Answer)[1:]), max_size=40), st.integers(1, 60))
def test_only_a_week_of_plain_noes_takes_a_verified_domain_away(answers, hours):
    claim, now = Claim(NOW, Answer.FOUND, 1, None, NOW), NOW
    missing_since = None
    for answer in answers:
        claim, turn = after(claim, answer, now)
        if turn is Turn.MISSING:
            missing_since = now
        if turn is Turn.BACK:
            missing_since = None
        if turn is Turn.LOST:
            assert answer.is_no
            assert missing_since is not None
            assert now - missing_since >= GRACE
            assert claim.state is DomainState.NOT_FOUND
            return
        assert claim.verified_at == NOW
        assert claim.next_check_at > now
        now += dt.timedelta(hours=hours)


def test_a_search_looks_often_at_first_and_ends_after_a_week():
    claim, now, looks = begin(NOW), NOW, 0
    turn = None
    while claim.next_check_at:
        now = claim.next_check_at
        claim, turn = after(claim, Answer.NO_RECORD, now)
        looks += 1
    assert turn is Turn.GIVEN_UP
    assert now == NOW + WAITS
    assert 15 <= looks <= 25
    assert after(claim, Answer.NO_RECORD, now)[1] is None, "it is told once"
    assert after(claim, Answer.FOUND, now)[1] is Turn.VERIFIED


def test_only_the_whole_value_counts():
    assert answer_in([PREFIX + "abc"], "abc") is Answer.FOUND
    assert answer_in([f"x {PREFIX}abc"], "abc") is Answer.OTHERS
    assert answer_in([], "abc") is Answer.NO_RECORD
