"""A key of an organization, and what the API answers to it."""

import uuid

from portal.accounts.sessions import hash_token
from portal.domain.api_keys import written
from portal.models import ApiKey

SECRET = "s" * 43


def give_key(place, organization_id=None):
    """A key of an organization, as if an owner had made it."""
    key_id = uuid.uuid4()
    key = written(key_id, SECRET)
    place.database.add(
        ApiKey(
            organization_id=organization_id or place.organization.id,
            id=key_id,
            key_hash=hash_token(key),
            made_by="Olga Owner",
        )
    )
    return key


def root(place):
    return f"/api{place.url}"


def ask(place, key, path="", *, status=200, headers=None, **query):
    client = place.database.app.test_client()
    sent = ({"Authorization": f"Bearer {key}"} if key else {}) | (headers or {})
    answer = client.get(root(place) + path, headers=sent, query_string=query)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    return answer.json


def walk(place, key, path, **query):
    """Every row of a list, page by page."""
    rows, after = [], {}
    while True:
        page = ask(place, key, path, **query, **after)
        rows += page["data"]
        if page["next"] is None:
            return rows
        after = {"after": page["next"]}
