"""Tags, notes, references and saved views: who writes them, who sees them, what they cost."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, insert, select

from portal.billing import client_queries
from portal.clients import mark_queries, tagging
from portal.domain.access import Role, Scope
from portal.domain.errors import Changed, RuleError
from portal.domain.tags import (
    TAGS_A_CLIENT,
    check_tag,
    clean_note,
    next_colour,
    read,
    split_tags,
    written,
)
from portal.models import (
    Event,
    EventPerson,
    Organization,
    OrganizationTag,
    SavedView,
    Tag,
    new_id,
)
from tests.support.clients import make_client, make_provider, persona
from tests.test_clients_table import fill, names


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def acme(ada, database):
    return make_client(database, ada.provider, "Acme Ltd")


def notes_url(ada, client):
    return f"{ada.clients_url}/{client.id}/notes"


def write(ada, client, *, status=303, **fields):
    """Fill the form beside a client in and send it."""
    page = ada.browser.get(notes_url(ada, client))
    return ada.browser.submit(page, "Save", fields, status=status)


def tag_ids(database, provider):
    with database.session() as session:
        return {row.name: row.id for row in mark_queries.tags(session, Scope(provider.id))}


def stored(database, client):
    """A client's tags as its row says them, and as their own rows do: always the same."""
    with database.session() as session:
        shown = session.get_one(Organization, client.id).tags_shown
        rows = select(OrganizationTag.tag_id).where(OrganizationTag.organization_id == client.id)
        assert sorted(read(shown)) == sorted(session.scalars(rows))
        return set(read(shown))


def told(database, kind):
    with database.session() as session:
        return [row.payload for row in session.scalars(select(Event).where(Event.type == kind))]


def test_tags_note_and_reference_stand_beside_the_client(ada, acme, database):
    answer = write(
        ada,
        acme,
        new_tags="Gold, on site",
        note="Call Ana first.\r\nNot on Fridays.",
        external_reference=" PSA-0042 ",
    )
    assert urlsplit(answer.location).path == f"{ada.clients_url}/{acme.id}/manage"
    page = ada.browser.get(answer.location)
    assert page.texts("#notes-title ~ dl .tag") == ["Gold", "on site"]
    assert "Call Ana first. Not on Fridays." in page
    assert "PSA-0042" in page
    row = ada.browser.get(ada.clients_url).one("tbody tr")
    assert [tag.get_text() for tag in row.select(".tag[class*=tone-]")] == ["Gold", "on site"]
    assert stored(database, acme) == set(tag_ids(database, ada.provider).values())
    # A note may name anybody, so none of it is in the chain.
    (event,) = told(database, "provider:client:annotate")
    assert "Ana" not in event
    beside = database.one(
        select(EventPerson.about)
        .join(Event, (Event.stream_id == EventPerson.stream_id) & (Event.seq == EventPerson.seq))
        .where(Event.type == "provider:client:annotate")
    )
    assert '"before":{"external_reference":"","note":"","tags":[]}' in beside
    assert '"tags":["Gold","on site"]' in beside


def test_the_client_is_not_told(ada, acme, database):
    write(ada, acme, note="They pay late.")
    with database.session() as session:
        streams = session.scalars(select(Event.stream_id).where(Event.type.like("%annotate"))).all()
    assert streams == [ada.provider.id]


def test_a_tag_is_taken_off_by_unticking_it(ada, acme, database):
    write(ada, acme, new_tags="Gold, Silver")
    ids = tag_ids(database, ada.provider)
    write(ada, acme, tags=[ids["Silver"].hex])
    assert stored(database, acme) == {ids["Silver"]}


def test_the_same_words_make_no_second_tag(ada, acme, database):
    write(ada, acme, new_tags="Gold, GOLD, gold")
    other = make_client(database, ada.provider, "Beta")
    write(ada, other, new_tags="góld")
    assert list(tag_ids(database, ada.provider)) == ["Gold"]
    assert stored(database, other) == stored(database, acme)


def test_nothing_changed_is_no_event(ada, acme, database):
    write(ada, acme, note="x")
    write(ada, acme)
    assert len(told(database, "provider:client:annotate")) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"new_tags": ", ".join(f"t{n}" for n in range(21))}, "A client has at most 20 tags."),
        ({"new_tags": "x" * 31}, "Shorten it by 1 character; at most 30 fit."),
        ({"note": "x" * 2001}, "Shorten it by 1 character; at most 2,000 fit."),
        ({"external_reference": "x" * 65}, "Shorten it by 1 character; at most 64 fit."),
        ({"note": "a\u202eb"}, "Remove the invisible control characters"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(ada, acme, database, fields, words):
    page = write(ada, acme, status=422, **fields)
    assert any(words in text for text in page.texts(".field .error"))
    assert tag_ids(database, ada.provider) == {}


def test_whoever_was_slower_sees_what_is_there_and_decides(ada, acme, database):
    page = ada.browser.get(notes_url(ada, acme))
    write(ada, acme, note="First.", new_tags="Gold")
    answer = ada.browser.submit(page, "Save", {"note": "Second."}, status=409)
    assert "First." in answer
    assert "Somebody else has changed this" in answer
    ada.browser.submit(answer, "Save", {}, status=303)
    with database.session() as session:
        assert session.get_one(Organization, acme.id).note == "Second."
    assert stored(database, acme) == set()


def test_two_writers_at_once_do_not_mix(ada, acme, database):
    """Both have read the same state; one writes, the other is told so."""
    with database.session() as session:
        seen = client_queries.client(session, Scope(ada.provider.id), acme.id)
    actor = _actor(ada)
    wanted = tagging.Annotation("one", "", frozenset())
    with database.session() as session:
        assert tagging.annotate(session, actor, seen, wanted)
    with database.session() as session, pytest.raises(Changed):
        tagging.annotate(session, actor, seen, tagging.Annotation("two", "", frozenset()))


def _actor(ada):
    from portal.domain.access import Actor  # noqa: PLC0415

    role = Role.PROVIDER_ADMIN
    return Actor(
        ada.account.id,
        None,
        ada.account.name,
        ada.account.email,
        role,
        role.permissions,
        provider_id=ada.provider.id,
    )


def test_a_service_user_writes_too_and_a_stranger_finds_nothing(database, ada, acme):
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    write(tom, acme, new_tags="Gold")
    mallory = persona(database)
    mallory.browser.get(notes_url(ada, acme), status=404)
    mallory.browser.get(f"{mallory.clients_url}/{acme.id}/notes", status=404)
    tag_id = tag_ids(database, ada.provider)["Gold"]
    for end in ("", "/delete"):
        mallory.browser.get(f"{mallory.clients_url}/tags/{tag_id}{end}", status=404)


def test_a_foreign_tag_is_not_taken(database, ada, acme):
    other = make_provider(database, "Mallory IT")
    tag = database.add(Tag(provider_id=other.id, id=new_id(), name="X", name_ci="x", colour=1))
    seen = ada.browser.get(notes_url(ada, acme)).one("input[name=seen]")["value"]
    fields = {"seen": seen, "tags": [tag.id.hex], "note": "y"}
    ada.browser.post(notes_url(ada, acme), fields, status=303)
    assert stored(database, acme) == set()


def test_a_tag_is_renamed_and_recoloured_for_all_its_clients_at_once(ada, acme, database):
    write(ada, acme, new_tags="Gold")
    page = ada.browser.get(f"{ada.clients_url}/tags")
    form = ada.browser.get(page.link("Change Gold"))
    ada.browser.submit(form, "Save tag", {"name": "Platinum", "colour": "7"}, status=303)
    tag = ada.browser.get(ada.clients_url).one("tbody .tag[class*=tone-]")
    assert (tag.get_text(), tag["class"]) == ("Platinum", ["tag", "tone-7"])
    (event,) = told(database, "provider:tag:update")
    assert '"before":{"colour":1,"name":"Gold"}' in event


def test_two_tags_do_not_get_one_name(ada, acme):
    write(ada, acme, new_tags="Gold, Silver")
    page = ada.browser.get(f"{ada.clients_url}/tags")
    form = ada.browser.get(page.link("Change Gold"))
    again = ada.browser.submit(form, "Save tag", {"name": "SILVER"}, status=422)
    assert "There is a tag with this name already." in again
    form = ada.browser.get(page.link("New tag"))
    ada.browser.submit(form, "Create tag", {"name": "silver"}, status=422)


def test_deleting_a_tag_says_how_many_lose_it(ada, acme, database):
    beta = make_client(database, ada.provider, "Beta")
    write(ada, acme, new_tags="Gold, Silver")
    ids = tag_ids(database, ada.provider)
    write(ada, beta, tags=[ids["Gold"].hex])
    page = ada.browser.get(f"{ada.clients_url}/tags")
    assert page.texts("tbody td.num") == [
        "2 with the tag Gold",
        "1 with the tag Silver",
    ]
    form = ada.browser.get(page.link("Delete Gold"))
    assert "2 clients have it and lose it." in form
    ada.browser.submit(form, "Delete tag", {}, status=303)
    assert stored(database, acme) == {ids["Silver"]}
    assert stored(database, beta) == set()
    assert '"clients":2' in told(database, "provider:tag:delete")[0]


def test_the_list_is_filtered_by_tag_and_searched_by_reference(ada, acme, database):
    make_client(database, ada.provider, "Beta")
    write(ada, acme, new_tags="Gold", external_reference="PSA-0042")
    gold = tag_ids(database, ada.provider)["Gold"]
    page = ada.browser.get(f"{ada.clients_url}?tag={gold.hex}")
    assert names(page) == ["Acme Ltd"]
    assert page.texts(".chip") == ["Tag: Gold (remove)"]
    assert names(ada.browser.get(f"{ada.clients_url}?q=psa-0042")) == ["Acme Ltd"]
    everything = ["Acme Ltd", "Beta"]
    assert names(ada.browser.get(f"{ada.clients_url}?tag={new_id().hex}")) == everything
    assert names(ada.browser.get(f"{ada.clients_url}?tag=nonsense")) == everything
    text = ada.browser.client.get(f"{ada.clients_url}.csv?tag={gold.hex}").text
    assert "Gold,PSA-0042" in text
    assert "Beta" not in text


def test_tags_cost_no_statement_a_row(ada, database, statements):
    for number in (10, 500):
        database.run(delete(OrganizationTag))
        database.run(delete(Tag))
        database.run(delete(Organization))
        tags = [
            Tag(provider_id=ada.provider.id, name=f"t{n}", name_ci=f"t{n}", colour=n)
            for n in (1, 2, 3)
        ]
        ids = [database.add(tag).id for tag in tags]
        clients = fill(database, ada.provider, number, tags_shown=written(ids))
        rows = [
            {"provider_id": ada.provider.id, "organization_id": client.id, "tag_id": tag_id}
            for client in clients
            for tag_id in ids
        ]
        with database.session() as session:
            session.execute(insert(OrganizationTag), rows)
        for query in ("", f"?tag={ids[0].hex}"):
            statements.clear()
            page = ada.browser.get(ada.clients_url + query)
            statements.most(4)
            assert len(page.select("tbody tr")) == min(number, 50)
            assert len(page.select("tbody .tag[class*=tone-]")) == 3 * min(number, 50)


def test_names_of_tags_are_text(ada, acme):
    write(ada, acme, new_tags='<b>%(name)s" &')
    tag = ada.browser.get(ada.clients_url).one("tbody .tag[class*=tone-]")
    assert tag.get_text() == '<b>%(name)s" &'


def test_the_rules_of_tags():
    assert split_tags("a,, B ,A", field="x") == ["a", "B"]
    assert clean_note(" a \r\nb\r\n\r\n") == "a\nb"
    assert next_colour([1, 1, 2]) == 3
    ids = [new_id() for _ in range(3)]
    assert read(written(ids)) == sorted(ids)
    assert read("") == []
    with pytest.raises(RuleError):
        check_tag("a,b")
    assert TAGS_A_CLIENT == 20


# Saved views


def save(ada, query, **fields):
    page = ada.browser.get(f"{ada.clients_url}/views/new{query}")
    return ada.browser.submit(page, "Save view", fields, status=303)


def view_names(page):
    return page.texts(".views .chip")


def test_a_view_is_saved_from_the_table_and_leads_back_to_it(ada, acme):
    page = ada.browser.get(f"{ada.clients_url}?q=acme&sort=-used&nonsense=1&at=")
    form = ada.browser.get(page.link("Save this view"))
    assert "It shows: Name or reference contains “acme”" in form
    answer = ada.browser.submit(form, "Save view", {"name": "Mine"}, status=303)
    query = parse_qs(urlsplit(answer.location).query)
    query.pop("saved")
    assert query == {"q": ["acme"], "sort": ["-used"]}
    page = ada.browser.get(answer.location)
    assert view_names(page) == ["Mine"]
    assert page.one(".views [aria-current]").get_text() == "Mine"
    assert not ada.browser.get(ada.clients_url).select(".views [aria-current]")


def test_an_address_names_a_view(ada, acme, database):
    save(ada, "?plan=teams", name="Teams")
    with database.session() as session:
        view_id = session.scalars(select(SavedView.id)).one()
    url = ada.clients_url
    assert ada.browser.get(f"{url}?view={view_id}", status=303).location == f"{url}?plan=teams"
    assert ada.browser.get(f"{url}?view={new_id()}", status=303).location == url
    assert ada.browser.get(f"{url}?view=x", status=303).location == url
    mallory = persona(database)
    answer = mallory.browser.get(f"{mallory.clients_url}?view={view_id}", status=303)
    assert answer.location == mallory.clients_url


def test_what_the_table_does_not_know_is_not_kept(ada, acme, database):
    page = ada.browser.get(f"{ada.clients_url}/views/new?plan=teams")
    fields = {"name": "A", "query": "plan=teams&evil=1&sort=nonsense&at=x"}
    ada.browser.submit(page, "Save view", fields, status=303)
    with database.session() as session:
        assert session.scalars(select(SavedView.query)).one() == "plan=teams"


def test_a_shared_view_is_everybodys_and_changed_by_its_owner_or_an_admin(ada, acme, database):
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    bea = persona(database, Role.SERVICE_USER, ada.provider)
    save(tom, "?plan=teams", name="Own")
    save(tom, "?seats=none", name="Shared", is_shared="y")
    assert view_names(tom.browser.get(tom.clients_url)) == ["Own", "Shared"]
    for other in (ada, bea):
        assert view_names(other.browser.get(ada.clients_url)) == ["Shared"]
    assert "Change Shared" not in bea.browser.get(f"{ada.clients_url}/views")
    with database.session() as session:
        ids = {row.name: row.id for row in session.scalars(select(SavedView))}
    for end in ("", "/delete"):
        bea.browser.get(f"{ada.clients_url}/views/{ids['Shared']}{end}", status=403)
        ada.browser.get(f"{ada.clients_url}/views/{ids['Own']}{end}", status=404)
    page = ada.browser.get(ada.browser.get(f"{ada.clients_url}/views").link("Change Shared"))
    ada.browser.submit(page, "Save view", {"name": "No seats"}, status=303)
    page = ada.browser.get(ada.browser.get(f"{ada.clients_url}/views").link("Delete No seats"))
    ada.browser.submit(page, "Delete view", {}, status=303)
    assert view_names(tom.browser.get(tom.clients_url)) == ["Own"]


def test_a_persons_views_have_different_names(ada, acme):
    save(ada, "?plan=teams", name="Mine")
    page = ada.browser.get(f"{ada.clients_url}/views/new?plan=enterprise")
    again = ada.browser.submit(page, "Save view", {"name": "MINE"}, status=422)
    assert "You have a view with this name already." in again


def test_a_view_of_a_deleted_tag_shows_all(ada, acme, database):
    write(ada, acme, new_tags="Gold")
    gold = tag_ids(database, ada.provider)["Gold"]
    make_client(database, ada.provider, "Beta")
    save(ada, f"?tag={gold.hex}", name="Golden")
    database.run(delete(OrganizationTag))
    database.run(delete(Tag))
    page = ada.browser.get(ada.clients_url)
    assert names(ada.browser.get(page.link("Golden"))) == ["Acme Ltd", "Beta"]
    assert "All clients" in ada.browser.get(f"{ada.clients_url}/views")
