"""Several who rename one collection at the same moment: one of them does, the others are told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.models import Collection, Event
from tests.support.browsing import filled_in
from tests.support.collections import make, sealed, url
from tests.support.organizations import make_place

pytestmark = pytest.mark.committed
ROUNDS, AT_ONCE = 10, 4


def test_of_four_who_rename_one_collection_at_once_one_does(committed_app, committed):
    place = make_place(committed)
    browsers = [place.admins_browser() for _ in range(AT_ONCE)]
    one = make(place)
    there = url(place, one, "name")

    for number in range(ROUNDS):
        forms = [filled_in(browser.get(there).form("Save collection")) for browser in browsers]
        names = [sealed(place, f"Name {number} of {mine}") for mine in range(AT_ONCE)]
        start = Barrier(AT_ONCE)

        def send(mine, forms=forms, names=names, start=start):
            start.wait()
            typed = forms[mine] | {"sealed_name": names[mine]}
            return browsers[mine].client.post(there, data=typed).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(send, range(AT_ONCE)))
        assert sorted(answers) == [303, 409, 409, 409]
        stored = committed.one(select(Collection.sealed_name).where(Collection.id == one))
        assert stored == names[answers.index(303)]

    assert committed.one(select(Collection.version).where(Collection.id == one)) == ROUNDS + 1
    renamed = select(Event.id).where(Event.type == "organization:collection:update")
    # The organization and its provider each have the event in their log.
    assert len(committed.all(renamed)) == 2 * ROUNDS
