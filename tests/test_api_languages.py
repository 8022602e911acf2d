"""What the API refuses, in the language that is asked for; the code is the same in all."""

import pytest
from sqlalchemy import update

from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.models import Organization
from portal.web.languages import COOKIE
from tests.support.api import give_key, root
from tests.support.console import owner_of
from tests.support.organizations import make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def key(place):
    return give_key(place)


def refused(place, key, path="", *, wish="fr", method="GET", client=None):
    """(status, code, message) of an answer, whose language is the one that was asked for."""
    sent = {"Authorization": f"Bearer {key}"} if key else {}
    client = client or place.database.app.test_client()
    answer = client.open(
        root(place) + path, method=method, headers=sent | {"Accept-Language": wish}
    )
    assert answer.headers["Content-Language"] == ("fr" if wish.startswith("fr") else "en")
    assert "Accept-Language" in answer.headers["Vary"]
    error = answer.json["error"]
    return answer.status_code, error["code"], error["message"]


REFUSED = {
    "?limit=0": (400, "bad_request", "Le paramètre «\u00a0limit\u00a0» est un nombre de 1 à 100."),
    "?after=x": (400, "bad_request", "tel que «\u00a0next\u00a0» l\u2019a donné."),
    "?<b>=%25(x)s": (400, "bad_request", "Il n\u2019y a pas de paramètre «\u00a0<b>\u00a0»."),
    "/nothing": (404, "not_found", "Il n\u2019y a rien à cette adresse pour cette clé."),
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused_is_told_in_french_with_the_same_code(place, key, path):
    here = path if path.startswith("/nothing") else f"/members{path}"
    status, code, message = refused(place, key, here)
    assert (status, code) == REFUSED[path][:2]
    assert REFUSED[path][2] in message
    english = refused(place, key, here, wish="en")
    assert english[:2] == (status, code)
    assert english[2] != message


@pytest.mark.parametrize("query", ["from=soon", "order=any"])
def test_the_bounds_of_the_log_are_told_in_french(place, key, query):
    assert refused(place, key, f"/events?{query}")[2].startswith("Le paramètre «\u00a0")


def test_no_key_and_another_method_are_told_in_french(place, key):
    assert refused(place, "") == (
        401,
        "unauthorized",
        "Envoyez une clé en service\u00a0: Authorization\u00a0: Bearer <clé>.",
    )
    assert refused(place, key, method="POST")[1:] == (
        "method_not_allowed",
        "L\u2019API est en lecture seule\u00a0: envoyez GET.",
    )


def test_a_closed_organization_and_its_plan_are_told_in_french(place, key, monkeypatch):
    place.database.run(update(Organization).values(status=ClientStatus.SUSPENDED))
    assert refused(place, key)[1:] == ("forbidden", "L\u2019organisation est suspendue.")
    place.database.run(update(Organization).values(status=ClientStatus.ACTIVE))
    monkeypatch.setattr(Plan, "has", lambda *_: False)
    assert "ne comprend pas l\u2019API" in refused(place, key)[2]


@pytest.mark.parametrize("wish", ["fr-CA, en;q=0.5", "fr;q=0.9, de;q=0.8"])
def test_the_nearest_language_is_taken(place, wish):
    assert refused(place, "", wish=wish)[2].startswith("Envoyez")


@pytest.mark.parametrize("wish", ["de", "", "*", "en-GB, fr;q=0.5", "nonsense;;q=x", "de, fr;q=0"])
def test_any_other_wish_is_answered_in_english(place, wish):
    assert refused(place, "", wish=wish)[2].startswith("Send a key")


def test_neither_a_cookie_nor_a_person_decides_the_language(place):
    client = place.browser_of(owner_of(place)).client
    client.set_cookie(COOKIE, "fr")
    assert refused(place, "", wish="en", client=client)[2].startswith("Send a key")


def test_what_is_read_is_in_no_language(place, key):
    sent = {"Authorization": f"Bearer {key}", "Accept-Language": "fr"}
    answer = place.database.app.test_client().get(root(place), headers=sent)
    assert answer.status_code == 200
    assert "Content-Language" not in answer.headers
