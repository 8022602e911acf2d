"""Words: messages, names, roles, plans and states."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.access import (
    ORGANIZATION_ROLES,
    PROVIDER_ROLES,
    Actor,
    Permission,
    Role,
    roles_with,
)
from portal.domain.countries import COUNTRIES, WITHOUT_POSTAL_CODE
from portal.domain.errors import NN_, Message, RuleError, refuse
from portal.domain.names import check_name, colour_class, initials, name_ci, squeeze
from portal.domain.plans import Cadence, Feature, Plan
from portal.domain.states import (
    ClientStatus,
    MemberState,
    ProviderPersonState,
    check_member_move,
)

P = Permission


# Messages


def test_a_refusal_carries_its_sentence_its_params_and_its_field():
    error = refuse("Enter at most %(most)s seats.", field="seats", most=100)
    assert str(error) == "Enter at most 100 seats."
    assert (error.message, error.params["most"], error.field) == (
        "Enter at most %(most)s seats.",
        100,
        "seats",
    )


def test_a_plain_sentence_may_hold_a_percent_sign():
    assert str(RuleError("100 % is too much.")) == "100 % is too much."


@pytest.mark.parametrize(("count", "text"), [(1, "1 of 9 seat"), (2, "2 of 9 seats")])
def test_a_counted_sentence_takes_the_form_of_its_count(count, text):
    forms = NN_("%(count)s of %(all)s seat", "%(count)s of %(all)s seats")
    assert str(Message.counted(forms, count, all=9)) == text


def test_a_sentence_is_translated_and_its_params_formatted_where_it_is_shown():
    message = Message.of("At most %(most)s.", most=1000)
    french = {"At most %(most)s.": "Au plus %(most)s."}
    shown_text = message.render(
        lambda msgid, **params: french[msgid] % params, format_param=lambda value: f"{value:_}"
    )
    assert shown_text == "Au plus 1_000."


def test_messages_are_values():
    assert Message.of("a %(b)s", b=1) == Message.of("a %(b)s", b=1)
    assert len({Message.of("a %(b)s", b=1), Message.of("a %(b)s", b=1)}) == 1


# Names


@given(st.text())
def test_squeezing_twice_changes_nothing_more(text):
    assert squeeze(squeeze(text)) == squeeze(text)


@given(st.text())
def test_the_sort_key_of_a_sort_key_is_itself(text):
    assert name_ci(name_ci(text)) == name_ci(text)


@given(st.text(st.characters(max_codepoint=0x17F), max_size=40))
def test_case_never_changes_the_sort_key_of_a_latin_name(text):
    assert name_ci(text.lower()) == name_ci(text.upper()) == name_ci(text)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  Élan \t Vital ", "elan vital"),
        ("ŒUVRE", "oeuvre"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("\uff37\uff49\uff44\uff45", "wide"),
        ("e\u0301", "e"),
        ("İstanbul", "istanbul"),
        ("がぎ", "がぎ"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_the_sort_key_folds_case_accents_and_widths_but_no_other_script(name, key):
    assert name_ci(name) == key


def test_names_are_ordered_as_people_read_them():
    names = ["Zebra", "Éclair", "apple", "eclipse", "Ärzte", "Zoé"]
    assert sorted(names, key=name_ci) == ["apple", "Ärzte", "Éclair", "eclipse", "Zebra", "Zoé"]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Acme Ltd", "AL"),
        ("acme", "AC"),
        ("A", "A"),
        ("Dr. Müller & Söhne", "DM"),
        ("& Co", "CO"),
        ("ß gmbh", "ßG"),
        ("---", ""),
        ("", ""),
    ],
)
def test_initials_are_one_or_two_letters(name, letters):
    assert initials(name) == letters


@given(st.text())
def test_initials_never_need_more_room_than_two_letters(name):
    assert len(initials(name)) <= 2


@given(st.uuids())
def test_a_colour_is_one_of_twelve_and_stays(identity):
    assert 1 <= colour_class(identity) <= 12
    assert colour_class(identity) == colour_class(UUID(str(identity)))


def test_all_twelve_colours_are_in_use():
    assert {colour_class(uuid4()) for _ in range(2000)} == set(range(1, 13))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter a name."),
        (" \t ", "Enter a name."),
        ("\u200b\u200d", "Enter a name."),
        ("a\u202eb", "Remove the invisible control characters"),
        ("a\x00b", "Remove the invisible control characters"),
        ("a\ud800", "Remove the invisible control characters"),
        ("x" * 51, "Shorten it by 1 character;"),
        ("x" * 53, "Shorten it by 3 characters;"),
    ],
)
def test_a_name_that_cannot_stand_is_told_why(text, sentence):
    with pytest.raises(RuleError, match=sentence) as caught:
        check_name(text)
    assert caught.value.field == "name"


@given(st.text())
def test_a_name_is_refused_or_fit_to_be_stored(text):
    try:
        name = check_name(text)
    except RuleError:
        return
    assert 1 <= len(name) <= 50
    assert name == squeeze(text)
    name.encode("utf-8")
    assert "\x00" not in name


# Roles

EVERY = set(Permission)
INSIDE = {
    *(P.ORGANIZATION_READ, P.SETUP_SKIP, P.REPORTS_READ, P.POLICIES_READ, P.POLICIES_MANAGE),
    P.DOMAINS_MANAGE,
    *(P.MEMBERS_READ, P.MEMBERS_INVITE, P.MEMBERS_CONFIRM, P.MEMBERS_MANAGE),
    P.MEMBERS_RECOVER,
    *(P.GROUPS_READ, P.GROUPS_MANAGE, P.COLLECTIONS_READ, P.COLLECTIONS_CREATE),
    *(P.COLLECTIONS_MANAGE, P.COLLECTIONS_DELETE, P.COLLECTIONS_OWN),
}
RIGHTS = {
    Role.PROVIDER_ADMIN: EVERY
    - {P.ORGANIZATION_API, P.ORGANIZATION_DELETE, P.RECOVERY_BY_PROVIDER, P.PROVIDER_ACCESS_DECIDE},
    Role.SERVICE_USER: INSIDE
    | {
        P.CLIENTS_READ,
        P.CLIENTS_RENAME,
        P.CLIENTS_SUBSCRIBE,
        P.CLIENTS_ANNOTATE,
        P.CLIENTS_SAVE_VIEWS,
        P.BASELINES_READ,
        P.PROVIDER_ACCESS_READ,
        P.PROVIDER_ACCESS_ASK,
    },
    Role.OWNER: INSIDE
    | {
        P.ORGANIZATION_KEYS,
        P.ORGANIZATION_EVENTS_READ,
        P.ORGANIZATION_BILLING_READ,
        P.ORGANIZATION_SETTINGS,
        P.ORGANIZATION_API,
        P.ORGANIZATION_DELETE,
        P.RECOVERY_BY_PROVIDER,
        P.PROVIDER_ACCESS_READ,
        P.PROVIDER_ACCESS_DECIDE,
    },
    Role.ADMIN: INSIDE | {P.ORGANIZATION_EVENTS_READ, P.PROVIDER_ACCESS_READ},
    Role.USER: {P.ORGANIZATION_READ, P.COLLECTIONS_OWN},
    Role.CUSTOM: {P.ORGANIZATION_READ, P.COLLECTIONS_OWN},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_each_role_has_exactly_its_rights(role, permission):
    actor = Actor(uuid4(), uuid4(), "Ada", "ada@example.com", role, role.permissions)
    assert actor.can(permission) == (permission in RIGHTS[role])


def test_every_role_is_of_a_provider_or_of_an_organization():
    assert sorted([*PROVIDER_ROLES, *ORGANIZATION_ROLES]) == sorted(Role)


def test_no_organization_role_reaches_provider_matters():
    for role in ORGANIZATION_ROLES:
        assert not {
            right for right in role.permissions if right.startswith(("clients", "provider"))
        }


def test_a_refusal_can_say_who_can_help():
    assert roles_with(Permission.MEMBERS_CONFIRM) == (
        Role.PROVIDER_ADMIN,
        Role.SERVICE_USER,
        Role.OWNER,
        Role.ADMIN,
    )


# Plans and states


def test_enterprise_is_teams_and_five_more():
    assert [str(feature) for feature in Plan.TEAMS.features] == ["groups", "events", "scim", "api"]
    assert Plan.ENTERPRISE.features == Plan.TEAMS.features + Plan.ENTERPRISE.added_features
    assert [str(feature) for feature in Plan.ENTERPRISE.added_features] == [
        "policies",
        "sso",
        "claimed_domains",
        "account_recovery",
        "custom_roles",
    ]
    assert Plan.TEAMS.rank < Plan.ENTERPRISE.rank
    assert Plan.ENTERPRISE.has(Feature.SSO)
    assert not Plan.TEAMS.has(Feature.SSO)


def test_a_period_is_one_month_or_twelve():
    assert (Cadence.MONTHLY.months, Cadence.ANNUAL.months) == (1, 12)


@pytest.mark.parametrize(
    "words", [Role, Plan, Cadence, Feature, MemberState, ClientStatus, ProviderPersonState]
)
def test_every_word_has_a_label(words):
    labels = [word.label for word in words]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_invited_accepted_and_confirmed_members_use_a_seat():
    assert {state for state in MemberState if state.uses_seat} == {
        MemberState.INVITED,
        MemberState.ACCEPTED,
        MemberState.CONFIRMED,
    }


MOVES = {
    ("staged", "invited"),
    ("staged", "revoked"),
    ("invited", "accepted"),
    ("invited", "revoked"),
    ("accepted", "confirmed"),
    ("accepted", "revoked"),
    ("confirmed", "revoked"),
    ("revoked", "staged"),
    ("revoked", "invited"),
    ("revoked", "accepted"),
    ("revoked", "confirmed"),
}


@pytest.mark.parametrize("before", MemberState)
@pytest.mark.parametrize("after", MemberState)
def test_a_member_moves_only_along_the_open_ways(before, after):
    assert before.may_become(after) == ((before, after) in MOVES)
    if (before, after) in MOVES:
        check_member_move(before, after)
    else:
        with pytest.raises(RuleError):
            check_member_move(before, after)


def test_clients_and_provider_people_can_be_brought_back():
    for status in ClientStatus:
        assert not status.may_become(status)
    assert ClientStatus.SUSPENDED.may_become(ClientStatus.ACTIVE)
    assert ClientStatus.DELETING.may_become(ClientStatus.SUSPENDED)
    assert ProviderPersonState.SUSPENDED.may_become(ProviderPersonState.CONFIRMED)
    assert not ProviderPersonState.INVITED.may_become(ProviderPersonState.CONFIRMED)


def test_the_countries_are_those_of_iso_3166():
    assert len(COUNTRIES) == 249
    assert COUNTRIES >= WITHOUT_POSTAL_CODE
