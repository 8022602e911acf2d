"""Baselines where clients are listed: who deviates, and what lists of new clients say."""

import csv

import pytest
from sqlalchemy import select, update

from portal.clients import imports
from portal.domain.provider_access import AccessMode
from portal.models import (
    Baseline,
    BaselineAssignment,
    BaselineVersion,
    Organization,
    OrganizationSettings,
    ProviderAccess,
)
from tests.support.clients import make_client, make_provider, persona
from tests.test_clients_import import create, csv_of, names, read, rows, states

HEADING = "organization name,billing e-mail,owner e-mail,plan,seats,baseline"
LINE = "{0},bills@{0}.example,owner@{0}.example,Enterprise,5,{1}"


@pytest.fixture
def ada(database):
    return persona(database)


def baseline(database, provider, name="Gold", words=None):
    row = Baseline(provider_id=provider.id, name=name, name_ci=name.lower())
    database.add(row)
    said = words or {"settings": {"limits_item_deletion": True}}
    version = {"baseline_id": row.id, "number": 1, "content": said, "by_name": "Ada"}
    database.add(BaselineVersion(provider_id=provider.id, **version))
    return row.id


def watch(database, provider, client, baseline_id, drift):
    place = {"provider_id": provider.id, "organization_id": client.id, "baseline_id": baseline_id}
    database.add(BaselineAssignment(**place, number=1, by_name="Ada", drift=drift))


def shown(page):
    return page.texts("#clients-table tbody th a")


def signs(page):
    return [
        (row.find("a").get_text(strip=True), "Deviates" in row.find("th").get_text(" "))
        for row in page.select("#clients-table tbody tr")
    ]


def test_clients_that_deviate_are_marked_and_found(ada, database):
    gold = baseline(database, ada.provider)
    clients = [
        make_client(database, ada.provider, name) for name in ("Acme", "Beta", "Core", "Dot")
    ]
    acme, beta, core, _none = clients
    watch(database, ada.provider, acme, gold, 2)
    watch(database, ada.provider, beta, gold, 0)
    watch(database, ada.provider, core, gold, None)
    other = make_provider(database, "Mallory IT")
    theirs = make_client(database, other, "Mallory")
    watch(database, other, theirs, baseline(database, other), 1)
    page = ada.browser.get(ada.clients_url)
    assert signs(page) == [("Acme", True), ("Beta", False), ("Core", False), ("Dot", False)]
    page = ada.browser.get(f"{ada.clients_url}?baseline=deviates")
    assert shown(page) == ["Acme"]
    assert page.texts("#clients-table .chips a")[0].startswith("Deviates from baseline")
    assert page.one("input[name=baseline]").has_attr("checked")
    database.add(ProviderAccess(organization_id=acme.id, mode=AccessMode.ASK))
    page = ada.browser.get(ada.clients_url)
    assert signs(page)[0] == ("Acme", False), "its owners are asked before anybody looks"
    assert shown(ada.browser.get(f"{ada.clients_url}?baseline=deviates")) == []


def test_the_file_names_the_baseline_and_says_who_deviates(ada, database):
    gold = baseline(database, ada.provider)
    for name, drift in (("Acme", 2), ("Beta", 0)):
        watch(database, ada.provider, make_client(database, ada.provider, name), gold, drift)
    make_client(database, ada.provider, "Core")
    asks = make_client(database, ada.provider, "Dot")
    watch(database, ada.provider, asks, gold, 1)
    database.add(ProviderAccess(organization_id=asks.id, mode=AccessMode.NEVER))
    text = ada.browser.get(f"{ada.clients_url}.csv").response.get_data(as_text=True)
    lines = list(csv.DictReader(text.lstrip("\ufeff").splitlines()))
    told = [(line["Baseline"], line["Deviates from baseline"]) for line in lines]
    assert told == [("Gold", "Yes"), ("Gold", "No"), ("", ""), ("Gold", "")]


def test_a_list_gives_each_new_client_its_baseline(ada, database):
    gold = baseline(database, ada.provider)
    listed = [HEADING, LINE.format("acme", "GOLD"), LINE.format("beta", "")]
    page = read(ada, "\n".join(listed))
    assert [row[2] for row in rows(page, "Ready to be created")] == [
        "Enterprise · Monthly · Baseline: GOLD 5 seats · Added automatically, without limit",
        "Enterprise · Monthly 5 seats · Added automatically, without limit",
    ]
    create(ada, page)
    assert names(database) == ["acme", "beta"]
    given = database.all(select(BaselineAssignment))
    acme = database.one(select(Organization.id).where(Organization.name == "acme"))
    assert [(row.organization_id, row.baseline_id) for row in given] == [(acme, gold)]
    assert given[0].drift == 0
    assert database.one(select(OrganizationSettings.organization_id)) == acme


def test_an_unknown_baseline_is_a_mistake_of_its_line(ada, database):
    baseline(database, make_provider(database, "Mallory IT"), "Theirs")
    gold = baseline(database, ada.provider)
    page = read(ada, "\n".join([HEADING, LINE.format("acme", "Theirs")]))
    assert "No baseline of yours has this name." in page
    assert states(database) == {2: "broken"}
    form = ada.browser.submit(page, "Save and check", {"line2-baseline": " gold "})
    page = ada.browser.follow(form)
    assert states(database) == {2: "planned"}
    create(ada, page)
    assert database.one(select(BaselineAssignment.baseline_id)) == gold


def test_a_baseline_that_goes_meanwhile_holds_its_lines_up(ada, database):
    gold = baseline(database, ada.provider)
    page = read(ada, "\n".join([HEADING, LINE.format("acme", "Gold"), LINE.format("beta", "")]))
    database.run(update(Baseline).where(Baseline.id == gold).values(name="Best", name_ci="best"))
    create(ada, page)
    assert names(database) == ["beta"]
    page = ada.browser.get(page.response.request.path)
    assert "No baseline of yours has this name." in page.text("#line-2")


def test_clients_with_baselines_come_in_smaller_batches(ada, database, monkeypatch):
    monkeypatch.setattr(imports, "FEW", 2)
    baseline(database, ada.provider)
    listed = [HEADING, *(LINE.format(name, "Gold") for name in ("acme", "beta", "core"))]
    page = create(ada, read(ada, "\n".join(listed)))
    assert names(database) == ["acme", "beta"]
    ada.browser.submit(page, "Continue")
    assert names(database) == ["acme", "beta", "core"]
    assert database.count(BaselineAssignment) == 3


def test_a_list_without_the_column_is_read_as_before(ada, database):
    baseline(database, ada.provider)
    create(ada, read(ada, csv_of("acme")))
    assert names(database) == ["acme"]
    assert database.count(BaselineAssignment) == 0
