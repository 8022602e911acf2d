"""People invited from a list: checked, corrected, invited, each line once."""

import datetime as dt
import io

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import sessionmaker

from portal.domain.access import Role
from portal.domain.csv_lists import ImportState
from portal.domain.custom_roles import Custom
from portal.domain.errors import Message
from portal.domain.member_import import CUSTOM_ROLE
from portal.domain.plans import Plan
from portal.domain.scope import Level as ScopeLevel
from portal.domain.scope import Reach
from portal.extensions import db
from portal.models import (
    CollectionMember,
    Event,
    GroupMember,
    Member,
    MemberImport,
    MemberImportLine,
    Organization,
    Outbox,
    ProviderPerson,
    new_id,
    utc_now,
)
from portal.outbox.housekeeping import tidy
from tests.support.organizations import OWNER, employ, make_place
from tests.test_members_reach import collection, group, somebody

HEADING = "e-mail,role,groups,external id"


@pytest.fixture
def place(database):
    made = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    return made


def read(place, text, *, browser=None, status=303, **more):
    browser = browser or place.admins_browser()
    page = browser.get(f"{place.members}/import")
    answer = browser.submit(page, "Check the list", {"text": text, **more}, status=status)
    return browser, (browser.follow(answer) if status == 303 else answer)


def start(browser, page, data=None, status=303):
    words = next(text for text in page.texts("form button") if text.startswith("Invite "))
    answer = browser.submit(page, words, data or {}, status=status)
    return browser.follow(answer) if status == 303 else answer


def people(count, after=""):
    return "\n".join([HEADING, *(f"p{n}@a.example,,{after}," for n in range(count))])


def invited(place):
    found = select(Member.email).where(Member.email != OWNER).order_by(Member.email)
    return place.database.all(found)


def states(place):
    found = select(MemberImportLine.line, MemberImportLine.state).order_by(MemberImportLine.line)
    return {line: state.value for line, state in place.database.all(found)}


def url_of(page):
    return page.response.request.path


def the_list(place):
    return place.database.one(select(MemberImport))


def mails(place):
    found = select(func.count()).where(Outbox.topic == "mail.member_invitation")
    return place.database.one(found) - 1


def test_a_list_is_looked_at_and_invited(place):
    finance, each = group(place, "Finance"), collection(place)
    text = f"{HEADING}\nJun <JUN@a.example>,Admin,finance,7\nbob@a.example,,,\n"
    browser, page = read(place, text)
    assert page.heading == "People from a list"
    assert "2 seats are needed; free: 49." in page
    assert invited(place) == []
    page = start(browser, page, {f"level-{each}": "edit"})
    assert "Invited 2" in page.text("nav.tabs")
    assert invited(place) == ["bob@a.example", "jun@a.example"]
    jun = place.database.one(select(Member).where(Member.email == "jun@a.example"))
    assert (jun.role, jun.external_id) == (Role.ADMIN, "7")
    assert place.database.all(select(GroupMember.member_id, GroupMember.group_id)) == [
        (jun.id, finance)
    ]
    levels = select(CollectionMember.level).where(CollectionMember.collection_id == each)
    assert place.database.all(levels) == ["edit", "edit"]
    assert place.client().seats_used == 3
    assert mails(place) == 2
    kinds = place.database.all(select(Event.type))
    assert kinds.count("organization:member_list:start") == 2, "one change set, in both logs"
    assert kinds.count("organization:member:invite") == 6
    assert browser.get(page.link("jun@a.example")).heading == "jun@a.example"


def test_each_mistake_stands_at_its_line_and_the_others_are_invited(place):
    somebody(place, "Uma")
    text = (
        f"{HEADING}\nnonsense,,,\njun@a.example,,,\nJUN@a.example,,,\n{OWNER},,,\n"
        "a@a.example,Chief,,\nb@a.example,Custom,,\nc@a.example,,Legal,\n"
    )
    browser, page = read(place, text)
    assert page.texts("table.list tbody td.wide:nth-of-type(3)") == [
        "Enter an e-mail address in the form name@example.com.",
        "This address stands in line 3 already.",
        "This person is a member already, or is invited. Their place stays as it is.",
        "There is no role of this name. Write User, Admin or Owner.",
        str(Message(CUSTOM_ROLE)),
        "There is no group Legal.",
    ]
    start(browser, page)
    assert [email for email in invited(place) if email.endswith("@a.example")] == ["jun@a.example"]
    assert list(states(place).values()).count("broken") == 6
    left = browser.get(browser.get(url_of(page)).link("Download what is not invited yet"))
    assert left.response.text.count("\n") == 7


def test_a_line_is_corrected_skipped_and_taken_back(place):
    browser, page = read(place, "e-mail,role\nnonsense,Chief\njun@a.example,\n")
    page = browser.get(page.link("Edit nonsense"))
    again = browser.submit(
        page, "Save and check", {"email": "bob@a.example", "role": "Chief"}, status=422
    )
    assert "There is no role of this name" in again.text("#role-error")
    assert again.select("option[selected][value=Chief]"), "what was typed stays to be seen"
    done = browser.submit(again, "Save and check", {"role": "admin"}, status=303)
    page = browser.follow(done)
    assert "Line 2 is ready." in page
    browser.submit(browser.get(page.link("Edit jun@a.example")), "Skip this line", status=303)
    page = browser.get(url_of(page))
    assert states(place) == {2: "planned", 3: "refused"}
    start(browser, page)
    assert invited(place) == ["bob@a.example"]
    # Once it is done, what was skipped can still come in, and nobody else is invited again.
    line = browser.get(f"{url_of(page).partition('?')[0]}/lines/3")
    page = browser.follow(browser.submit(line, "Save and check", status=303))
    start(browser, page)
    assert invited(place) == ["bob@a.example", "jun@a.example"]
    assert mails(place) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_file_of_a_french_spreadsheet_is_read(place, encoding):
    equipe = group(place, "Équipe")
    text = "Adresse e-mail;Rôle;Groupes\r\njun@a.example;Administrateur;Équipe\r\n"
    browser = place.admins_browser()
    page = browser.get(f"{place.members}/import")
    file = (io.BytesIO(text.encode(encoding)), "liste.csv")
    answer = browser.submit(page, "Check the list", {"file": file}, status=303)
    start(browser, browser.follow(answer))
    assert invited(place) == ["jun@a.example"]
    assert place.database.all(select(GroupMember.group_id)) == [equipe]


def test_the_template_reads_back(place):
    group(place, "Finance"), group(place, "Sales")
    browser = place.admins_browser()
    template = browser.get(f"{place.members}/import/template.csv").response.text
    _browser, page = read(place, template, browser=browser)
    assert "1 seat is needed" in page


def test_a_second_submit_invites_nobody_twice(place):
    browser, page = read(place, people(3))
    start(browser, page)
    answer = browser.submit(page, "Invite 3 people", status=409)
    assert "No line of the list is ready." in answer
    assert mails(place) == 3
    _again, page = read(place, people(3), browser=browser)
    assert "To be corrected 3" in page.text("nav.tabs")
    kinds = place.database.all(select(Event.type))
    assert kinds.count("organization:member_list:start") == 2


@pytest.mark.parametrize(
    ("role", "parts", "status"),
    [
        (Role.ADMIN, (), 200),
        (Role.CUSTOM, (Custom.USERS,), 200),
        (Role.CUSTOM, (Custom.GROUPS,), 403),
        (Role.USER, (), 403),
    ],
)
def test_who_may_invite_may_bring_a_list(place, role, parts, status):
    person, _row = somebody(place, "Uma", role, parts)
    place.browser_of(person).get(f"{place.members}/import", status=status)


def test_a_list_gives_no_more_than_its_bringer_may(place):
    group(place, "Finance")
    each = collection(place)
    hal, _row = somebody(place, "Hal", Role.CUSTOM, [Custom.USERS])
    text = f"{HEADING}\na@a.example,Admin\nb@a.example,Owner\nc@a.example,,Finance\nd@a.example"
    browser, page = read(place, text, browser=place.browser_of(hal))
    assert states(place) == {2: "broken", 3: "broken", 4: "broken", 5: "planned"}
    assert not page.select("select[name^='level-']")
    browser.post(f"{url_of(page)}/start", {f"level-{each}": "manage"}, status=303)
    given = select(CollectionMember).where(CollectionMember.collection_id == each)
    assert place.database.all(given) == []
    assert the_list(place).levels == {}


def test_whoever_only_reads_brings_no_list(place):
    bea = place.person("bea@northwind.example", "Bea")
    employ(place.database, place.provider, bea, Role.SERVICE_USER)
    limits = {"reach": Reach.ALL, "level": ScopeLevel.READ_ONLY}
    place.database.run(
        update(ProviderPerson).where(ProviderPerson.account_id == bea.account_id).values(**limits)
    )
    place.browser_of(bea).get(f"{place.members}/import", status=403)


def test_a_list_of_another_organization_is_not_there(place, database):
    browser, page = read(place, people(2))
    other = url_of(page).replace(str(place.organization.id), str(new_id()))
    browser.get(other, status=404)
    browser.get(f"{place.members}/import/{new_id()}", status=404)
    browser.get(f"{url_of(page).partition('?')[0]}/lines/99", status=404)
    browser.get(f"{url_of(page).partition('?')[0]}/lines/99999999999999999999", status=404)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Choose a file or paste a list."),
        ("e-mail\n", "There is no line with an address in it."),
        ("e-mail\n" + "a@a.example\n" * 2001, "The list has 2,001 lines; at most 2,000 fit."),
    ],
)
def test_what_is_no_list_is_said_so(place, text, sentence):
    _browser, page = read(place, text, status=422)
    assert sentence in page
    assert place.database.all(select(MemberImport.id)) == []


def test_nothing_breaks_on_odd_queries(place):
    browser, page = read(place, people(2))
    url = url_of(page)
    for query in ("state=odd", "after=-1", "after=" + "9" * 30, "state=done&after=x", "state=done"):
        browser.get(f"{url}?{query}")


def test_a_list_is_deleted_and_its_people_stay(place):
    browser, page = read(place, people(2))
    page = start(browser, page)
    page = browser.get(page.link("Delete this list"))
    browser.submit(page, "Delete this list", status=303)
    assert place.database.all(select(MemberImport.id)) == []
    assert len(invited(place)) == 2


@pytest.mark.parametrize(
    ("state", "days", "stays"),
    [
        (ImportState.PLANNED, 6, True),
        (ImportState.PLANNED, 8, False),
        (ImportState.RUNNING, 29, True),
        (ImportState.RUNNING, 31, False),
    ],
)
def test_old_lists_are_forgotten(place, app, state, days, stays):
    read(place, people(2))
    made = utc_now() - dt.timedelta(days=days)
    place.database.run(update(MemberImport).values(state=state, created_at=made))
    with app.app_context():
        tidy(sessionmaker(db.engine, join_transaction_mode="create_savepoint"))
    assert place.database.count(MemberImport) == int(stays)
    assert place.database.count(MemberImportLine) == (2 if stays else 0)


def test_two_thousand_lines_cost_what_ten_cost(place, statements):
    place.database.run(update(Organization).values(seats=3000))
    browser, _page = read(place, people(2))
    statements.clear()
    _browser, few = read(place, people(10), browser=browser)
    cost = len(statements)
    statements.clear()
    _browser, page = read(place, people(2000), browser=browser)
    assert len(statements) <= cost
    assert len(page.select("table.list tbody tr")) == 100
    assert "Ready 2,000" in page.text("nav.tabs")
    more = browser.get(page.link("Next"))
    assert more.texts("table.list tbody th")[0] == "p100@a.example Line 102"
    statements.clear()
    start(browser, few)
    ten = len(statements)
    statements.clear()
    start(browser, page)
    assert len(statements) <= ten + 90 * 7, "a batch, whatever is left"
    assert len(invited(place)) == 110


def test_french_all_the_way(place):
    browser = place.admins_browser()
    browser.post("/language", {"locale": "fr", "next": "/"}, status=303)
    page = browser.get(f"{place.members}/import")
    data = {"text": "jun@a.example;Administrateur\nbob@a.example;Chef\n"}
    page = browser.follow(browser.submit(page, "Vérifier la liste", data, status=303))
    assert page.heading == "Personnes d\u2019une liste"
    assert "Aucun rôle ne porte ce nom." in page
    page = browser.follow(browser.submit(page, "Inviter 1 personne", status=303))
    assert "Invité" in page.text("nav.tabs")
