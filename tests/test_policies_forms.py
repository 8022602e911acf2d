"""Each kind's own form: what is typed is checked, kept, shown, stored and told."""

import pytest
from sqlalchemy import select

from portal.domain.errors import RuleError
from portal.domain.policies import DATA, PolicyKind
from portal.domain.policy_data import (
    AccountRecovery,
    FillAssist,
    Generated,
    MasterPassword,
    PasswordGenerator,
    SendAccess,
    SendControls,
    TimeoutAction,
    UriMatch,
    UriMatching,
    VaultBanner,
    VaultTimeout,
    label_of,
    to_store,
)
from portal.models import Policy
from portal.policies import service
from tests.support.policies import enterprise, told, turn, url

P = PolicyKind
OFF = []
# What is typed, and what it means.
TYPED = {
    P.MASTER_PASSWORD: (
        {"complexity": "4", "length": "16", "digits": "y"},
        MasterPassword(complexity=4, length=16, digits=True),
    ),
    P.VAULT_TIMEOUT: (
        {"minutes": "1 440", "action": "sign_out"},
        VaultTimeout(1440, TimeoutAction.SIGN_OUT),
    ),
    P.ACCOUNT_RECOVERY: ({"enrols_all": "y"}, AccountRecovery(enrols_all=True)),
    P.PASSWORD_GENERATOR: (
        {"makes": "passphrase", "length": " 20 ", "lower": OFF, "words": "7", "numbered": "y"},
        PasswordGenerator(Generated.PASSPHRASE, 20, lower=False, words=7, numbered=True),
    ),
    P.URI_MATCH: ({"match": "exact"}, UriMatching(UriMatch.EXACT)),
    P.VAULT_BANNER: (
        {"heading": " Maintenance ", "text": "Tonight,\r\nfrom 22:00.", "button": "Seen"},
        VaultBanner("Maintenance", "Tonight,\nfrom 22:00.", "Seen"),
    ),
    P.SEND_CONTROLS: (
        {
            "access": "people",
            "domains": "acme.example\r\nb.example",
            "hours": "24",
            "no_files": "y",
        },
        SendControls(
            access=SendAccess.PEOPLE, domains="acme.example\nb.example", hours=24, no_files=True
        ),
    ),
    P.FILL_ASSIST: (
        {"rules_url": " https://rules.example/fill.json "},
        FillAssist("https://rules.example/fill.json"),
    ),
}
WRONG = {
    P.MASTER_PASSWORD: ({"length": "11"}, "length", "Enter a number from 12 to 128."),
    P.VAULT_TIMEOUT: ({"minutes": "soon"}, "minutes", "Enter a number from 1 to 1,440."),
    P.PASSWORD_GENERATOR: ({"words": ""}, "words", "Enter a number from 3 to 20."),
    P.URI_MATCH: ({"match": "nonsense"}, "match", "Choose one of these."),
    P.VAULT_BANNER: ({"text": " "}, "text", "Enter what everybody shall read."),
    P.SEND_CONTROLS: ({"domains": "no domain"}, "domains", "This is no domain: no"),
    P.FILL_ASSIST: (
        {"rules_url": "http://rules.example/"},
        "rules_url",
        "Enter a whole address that begins with https://.",
    ),
}
OFFERED = [kind for kind in service.OFFERED if kind in DATA]


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def opened(place, admin, kind):
    if kind.needs:
        turn(place, kind.needs)
    return admin.get(url(place, kind.value))


@pytest.mark.parametrize("kind", OFFERED)
def test_what_is_typed_is_looked_at_stored_shown_and_told(place, admin, kind):
    typed, data = TYPED[kind]
    page = opened(place, admin, kind)
    preview = admin.submit(page, "Show what it changes", {"is_on": "y", **typed}, status=200)
    for name in to_store(data):
        assert label_of(name) in preview.texts(".facts dt")
    admin.submit(preview, "Save policy", {}, status=303)
    stored = place.database.one(select(Policy.data).where(Policy.kind == kind))
    assert stored == to_store(data)
    assert told(place, "policy:update")
    again = admin.get(url(place, kind.value))
    same = admin.submit(again, "Show what it changes", {}, status=303)
    assert same.location == url(place, kind.value)


@pytest.mark.parametrize("kind", [kind for kind in OFFERED if kind in WRONG])
def test_a_mistake_stands_at_its_field_and_nothing_typed_is_lost(place, admin, kind):
    typed, name, sentence = WRONG[kind]
    page = opened(place, admin, kind)
    sent = {"is_on": "y", **TYPED[kind][0], **typed}
    refused = admin.submit(page, "Show what it changes", sent, status=422)
    assert sentence in refused.text(f"#{name}-field")
    assert refused.one("input[name=is_on]").has_attr("checked")
    # The same by hand, past the look.
    sent = {key: value for key, value in sent.items() if value}
    admin.post(url(place, kind.value), {"version": "0", **sent}, status=422)
    assert not place.database.all(select(Policy.data).where(Policy.kind == kind))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (P.TWO_STEP, "Who was revoked while it was on stays revoked"),
        (P.ACCOUNT_RECOVERY, "recoveries that wait stand still"),
        (P.NO_PIN, "It asks nothing of anybody any more."),
    ],
)
def test_before_it_is_turned_off_a_page_says_what_comes_of_it(place, admin, kind, sentence):
    turn(place, kind)
    page = opened(place, admin, kind)
    assert sentence in admin.submit(page, "Show what it changes", {"is_on": OFF}, status=200)


@pytest.mark.parametrize("name", ["heading", "text", "button"])
def test_a_message_does_not_turn_what_stands_around_it(place, admin, name):
    page = opened(place, admin, P.VAULT_BANNER)
    sent = {"is_on": "y", "text": "Tonight", name: "\u202etxt.exe"}
    refused = admin.submit(page, "Show what it changes", sent, status=422)
    assert "Remove the invisible control characters." in refused.text(f"#{name}-field")
    admin.post(url(place, P.VAULT_BANNER.value), {"version": "0", **sent}, status=422)


@pytest.mark.parametrize("odd", ["a\0b", "\x1b[31m", "\ud800"])
@pytest.mark.parametrize("name", ["heading", "text", "button"])
def test_a_message_holds_nothing_that_cannot_be_shown_or_stored(name, odd):
    with pytest.raises(RuleError) as refused:
        VaultBanner(**{"text": "Tonight", name: odd})
    assert refused.value.field == name


def test_a_change_of_what_is_told_is_shown_before_and_after_in_the_log(place, admin):
    kind = P.URI_MATCH
    page = opened(place, admin, kind)
    preview = admin.submit(page, "Show what it changes", {"match": "exact"}, status=200)
    assert "Exactly the same address" in preview
    admin.submit(preview, "Save policy", {}, status=303)
    log = admin.get(f"{place.url}/events")
    event = admin.get(log.link("Changed the policy"))
    assert "Addresses belong together" in event
    assert "Same base domain" in event
    assert "Exactly the same address" in event
