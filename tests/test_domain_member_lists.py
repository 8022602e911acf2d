"""Lists of people to be invited: read from what spreadsheets write, judged line by line."""

import csv
import io
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.access import Role
from portal.domain.csv_lists import DELIMITERS, MORE, decode
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.member_import import FIELDS, LABELS, LINES, SHAPE, Here, judged, read, wanted_of
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.domain.staff import split_addresses
from portal.domain.states import MemberState
from portal.web.csv import lines

FINANCE, SALES, TWINS = uuid.uuid4(), uuid.uuid4(), (uuid.uuid4(), uuid.uuid4())
OWNER = Here(
    Plan.ENTERPRISE,
    Manager(Role.OWNER),
    gives_groups=True,
    groups=[(FINANCE, "Finance"), (SALES, "Équipe ventes"), *((each, "Twins") for each in TWINS)],
    states={
        "here@a.example": MemberState.CONFIRMED,
        "gone@a.example": MemberState.REVOKED,
        "soon@a.example": MemberState.STAGED,
    },
    external_ids={"taken"},
)
HEADING = "e-mail,role,groups,external id\n"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def said(typed, here=OWNER):
    return {name: str(problem) for name, problem in wanted_of(typed, here).problems.items()}


@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, texts)), min_size=1, max_size=4),
    st.sampled_from(DELIMITERS),
)
def test_a_list_of_anything_reads_back(people, delimiter):
    people = [{**each, "email": f"p{each['email']}"} for each in people]
    heading = [LABELS[name] for name in FIELDS]
    text = "".join(lines([heading, *SHAPE.written(people)], delimiter))
    found = list(read(text).lines.values())
    assert [line["email"] for line in found] == [
        each["email"].replace("\0", "").strip() for each in people
    ]


@pytest.mark.parametrize(
    ("text", "line", "typed"),
    [
        ("jun@a.example", 1, {"email": "jun@a.example"}),
        ("jun@a.example\tAdmin\tFinance", 1, {"role": "Admin", "groups": "Finance"}),
        ("E-mail\njun@a.example\n", 2, {"email": "jun@a.example"}),
        ("sep=;\nRôle;Adresse e-mail\nAdministrateur;jun@a.example", 3, {"role": "Administrateur"}),
        ('Groupes;Courriel\n"Finance; Twins";jun@a.example', 2, {"groups": "Finance; Twins"}),
        ("Nom,Courriel,Identifiant externe\nJun,jun@a.example,7", 2, {"external_id": "7"}),
        ("group@a.example,user,Groups", 1, {"email": "group@a.example", "groups": "Groups"}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_write_is_read(text, line, typed, encoding):
    found = read(decode(text.encode(encoding))).lines[line]
    assert typed.items() <= found.items()


def test_what_no_column_is_meant_for_is_said():
    found = read("E-mail,Name,Groups\njun@a.example,Jun,Finance\n")
    assert found.ignored == ("Name",)
    with pytest.raises(RuleError, match="no line with an address"):
        read("e-mail,role\n\n")
    many = "".join(f"p{number}@a.example\n" for number in range(LINES + 1))
    with pytest.raises(RuleError, match=r"2001 lines; at most 2000 fit"):
        read(many)
    assert len(read(many.split("\n", 1)[1]).lines) == LINES


def test_a_line_is_read_by_the_rules_of_the_form():
    line = wanted_of(
        {
            "email": "Jun Ito <JUN@a.example>",
            "role": "Administrateur",
            "groups": "finance; équipe VENTES;",
            "external_id": " 7 ",
        },
        OWNER,
    )
    assert (line.email, line.role, line.external_id) == ("jun@a.example", Role.ADMIN, "7")
    assert line.groups == {FINANCE, SALES}
    assert line.problems == {}


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"email": "nonsense"}, "email", "in the form name@example.com"),
        ({"email": ""}, "email", "Enter an e-mail address"),
        ({"email": "a@a.example b@a.example"}, "email", "in the form"),
        ({"email": "here@a.example"}, "email", "a member already"),
        ({"email": "gone@a.example"}, "email", "revoked"),
        ({"email": "soon@a.example"}, "email", "prepared already"),
        ({"role": "Chief"}, "role", "no role of this name"),
        ({"role": "Custom"}, "role", "made of parts"),
        ({"groups": "Finance; Legal"}, "groups", "There is no group Legal."),
        ({"groups": "twins"}, "groups", "Several groups are called twins."),
        ({"external_id": "x" * 301}, "external_id", "at most 300"),
        ({"external_id": "taken"}, "external_id", "Another member has"),
        ({MORE: "x"}, MORE, "more cells"),
    ],
)
def test_a_mistake_is_said_at_its_field(typed, field, sentence):
    problems = said({"email": "jun@a.example", **typed})
    assert list(problems) == [field]
    assert sentence in problems[field]


@pytest.mark.parametrize(
    ("by", "role", "refused"),
    [
        (Manager(Role.OWNER), "Owner", False),
        (Manager(Role.ADMIN), "Owner", True),
        (Manager(Role.ADMIN), "Admin", False),
        (Manager(Role.CUSTOM, frozenset({Custom.USERS})), "Admin", True),
        (Manager(Role.CUSTOM, frozenset({Custom.USERS})), "", False),
        (Manager(Role.SERVICE_USER), "Owner", True),
    ],
)
def test_nobody_gives_a_role_beyond_their_own(by, role, refused):
    here = Here(Plan.ENTERPRISE, by, gives_groups=False)
    assert ("role" in said({"email": "jun@a.example", "role": role}, here)) is refused
    groups = said({"email": "jun@a.example", "groups": "Finance"}, here)
    assert "do not manage the groups" in groups["groups"]


def test_of_two_lines_that_say_the_same_the_first_counts():
    found = judged(
        {
            2: {"email": "jun@a.example", "external_id": "7"},
            3: {"email": "JUN@A.example"},
            5: {"email": "bob@a.example", "external_id": "7"},
        },
        OWNER,
    )
    told = {line: {k: str(v) for k, v in each.problems.items()} for line, each in found.items()}
    assert told == {
        2: {},
        3: {"email": "This address stands in line 2 already."},
        5: {"external_id": "Line 2 has this external id already."},
    }


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("jun@a.example\tbob@a.example\nlea@a.example", ["jun", "bob", "lea"]),
        ("Jun Ito\tjun@a.example\tFinance\r\nBob\tbob@a.example\r\n", ["jun", "bob"]),
        ('"jun@a.example"\n"bob@a.example"', ["jun", "bob"]),
        ("Ito, Jun <jun@a.example>; Bell, Bob <bob@a.example>", ["jun", "bob"]),
        ("Jun <jun@a.example>, bob@a.example lea@a.example", ["jun", "bob", "lea"]),
        ("jun@a.example;bob@a.example,lea@a.example", ["jun", "bob", "lea"]),
        ("jun@a.example\u00a0bob@a.example", ["jun", "bob"]),
    ],
)
def test_cells_and_mail_programs_can_be_pasted(text, addresses):
    assert split_addresses(text) == [f"{name}@a.example" for name in addresses]


def test_a_pasted_word_that_is_no_address_is_not_lost():
    assert split_addresses("jun@a.example nonsense, more") == ["jun@a.example", "nonsense", "more"]
    assert split_addresses("one\ttwo") == ["one", "two"]


def test_a_file_that_is_written_for_a_spreadsheet_keeps_its_cells():
    text = "".join(lines([["E-mail"], ["=cmd@a.example"]], ","))
    assert list(csv.reader(io.StringIO(text)))[1] == ["'=cmd@a.example"]
    assert read(text).lines[2]["email"] == "=cmd@a.example"
