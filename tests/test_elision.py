"""French elides before a name that begins with a vowel; the catalogue has one sentence for all."""

import pytest
from flask import render_template_string
from flask_babel import gettext

from portal.web.elision import begins_with_vowel
from portal.web.languages import filled

QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"


def in_french(app):
    return app.test_request_context(headers={"Accept-Language": "fr"})


@pytest.mark.parametrize(
    "name", ["Aïcha", "Étienne", "œuvre", "Yves", "<b>Ada</b>", "alice@x.example"]
)
def test_de_loses_its_e_before_a_vowel(name):
    assert begins_with_vowel(name)


@pytest.mark.parametrize("name", ["Paul", "Yann", "Hugo", "11", "", "<b></b>", "y", "—"])
def test_de_stays_before_everything_else(name):
    assert not begins_with_vowel(name)


def test_only_the_place_that_needs_it_is_elided():
    text = "Accès de %(one)s et de %(two)s, à côté de %(three)s, plutôt que %(one)s."
    values = {"one": "Aïcha", "two": "Paul", "three": "Odile"}

    assert filled(text, values) == (
        f"Accès d{QUOTE}Aïcha et de Paul, à côté d{QUOTE}Odile, plutôt qu{QUOTE}Aïcha."
    )


@pytest.mark.parametrize(("person", "said"), [("Aïcha", f"d{QUOTE}Aïcha"), ("Paul", "de Paul")])
def test_templates_and_code_say_it_alike(app, person, said):
    with in_french(app):
        drawn = render_template_string("{{ _('Access of %(person)s', person=name) }}", name=person)

        assert drawn == f"Accès {said}"
        assert str(gettext("Access of %(person)s", person=person)) == f"Accès {said}"


def test_a_name_that_is_markup_stays_escaped(app):
    with in_french(app):
        drawn = render_template_string("{{ _('Access of %(person)s', person='<i>A') }}")

    assert drawn == f"Accès d{QUOTE}&lt;i&gt;A"
