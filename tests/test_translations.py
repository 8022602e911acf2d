"""French is complete, in step with the code, and written as French is written."""

import re
import subprocess
import sys

import polib
import pytest

from tests.support.project import ROOT

CATALOGUE = ROOT / "portal" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
NARROW, NO_BREAK = "\u202f", "\u00a0"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")
MARKUP = re.compile(r"<[^>]*>|&\w+;|https?://\S+")
# English word -> what every translation of a sentence with that word contains.
GLOSSARY = {
    r"providers?": "fournisseur",
    r"provider admins?": "administrateur",
    r"service users?": "technicien",
    r"clients?": "client",
    r"organizations?": "organisation",
    r"members?": "membre",
    r"seats?": "place",
    r"seat limit": "plafond de places",
    r"remaining": "restant",
    r"plans?": "formule",
    r"billing cadence": "périodicité de facturation",
    r"collections?": "collection",
    r"polic(?:y|ies)": "politique",
    r"events?": "événement",
    r"vaults?": "coffre",
    r"items?": "élément",
    r"encrypted": "chiffré",
    r"owners?": "propriétaire",
    r"master password": "mot de passe principal",
    r"fingerprint phrase": "phrase d.empreinte",
    r"single sign-on": "authentification unique",
    r"verified domains?": "domaines? vérifiés?",
    r"set-up": "mise en service",
    r"unlink": "dissoci",
    r"suspend(?:ed)?": "suspend",
    r"Provider Portal": "Portail fournisseur",
    r"Admin Console": "Console d.administration",
    r"billing e-mail": "adresses? e-mail de facturation",
    r"additional storage": "stockage supplémentaire",
}
# A service user is a technician in French: what holds the two words need not hold "provider".
LONGER = re.compile(r"\b(?:provider admins?)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def catalogue():
    assert CATALOGUE.exists(), "there is no French yet: bin/translate makes the catalogue"
    return polib.pofile(str(CATALOGUE), wrapwidth=0)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """Every sentence in code and templates, as (singular, plural)."""
    pot = tmp_path_factory.mktemp("babel") / "messages.pot"
    config = "portal/translations/babel.cfg"
    command = ["extract", "-F", config, "-k", "NN_:1,2", "-k", "_l"]
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "-q", *command, "-o", pot, "."],
        cwd=ROOT,
        check=True,
    )
    return polib.pofile(str(pot))


def test_the_catalogue_is_in_step_with_the_code(catalogue, extracted):
    wanted = {(entry.msgid, entry.msgid_plural) for entry in extracted}
    there = {(entry.msgid, entry.msgid_plural) for entry in catalogue if not entry.obsolete}
    assert wanted == there, "bin/translate brings it in step"


def test_no_sentence_is_empty_or_guessed(catalogue):
    missing = [entry.msgid for entry in catalogue if not all(translations(entry))]
    guessed = [entry.msgid for entry in catalogue if entry.fuzzy]
    assert missing + guessed == []


def test_a_translation_fills_the_same_placeholders(catalogue):
    assert [
        entry.msgid
        for entry in catalogue
        for translated in translations(entry)
        if translated and placeholders(translated) not in allowed(entry)
    ] == []


def test_punctuation_is_spaced_as_in_french(catalogue):
    assert {
        entry.msgid: faults
        for entry in catalogue
        for translated in translations(entry)
        if (faults := punctuation_faults(translated))
    } == {}


def test_one_word_has_one_translation(catalogue):
    assert {
        entry.msgid: faults
        for entry in catalogue
        for translated in translations(entry)
        if translated and (faults := glossary_faults(entry.msgid, translated))
    } == {}


def translations(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def placeholders(text):
    return sorted(PLACEHOLDER.findall(text))


def allowed(entry):
    """A singular may leave its number out ("one seat"), so either form's placeholders will do."""
    return [placeholders(text) for text in (entry.msgid, entry.msgid_plural) if text]


def punctuation_faults(text):
    """Each sign that lacks its no-break space, or has a common one."""
    plain = MARKUP.sub("", PLACEHOLDER.sub("x", text)).replace("%%", "%")
    faults = re.findall(rf"[^{NARROW}{NO_BREAK}?!][;?!%»]", plain)
    # Times and addresses have a colon without a space behind it.
    faults += re.findall(rf"[^{NARROW}{NO_BREAK}]:(?=\s|$)", plain)
    return faults + re.findall(rf"«[^{NARROW}{NO_BREAK}]", plain)


def glossary_faults(english, french):
    """The glossary's words in the English sentence whose French is missing from the other."""
    words = MARKUP.sub(" ", PLACEHOLDER.sub(" ", english))
    found = []
    for word, term in GLOSSARY.items():
        searched = LONGER.sub(" ", words) if word == "providers?" else words
        if re.search(rf"(?<![\w-]){word}(?![\w-])", searched, re.IGNORECASE) and not re.search(
            term, french, re.IGNORECASE
        ):
            found.append(f"{word}: {term}")
    if re.search(r"\bcrypt", french, re.IGNORECASE):
        found.append("chiffré, never crypté")
    return found


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("Voulez-vous continuer\u202f?", False),
        ("Voulez-vous continuer ?", True),
        ("Voulez-vous continuer?", True),
        ("Total\u00a0: 12", False),
        ("Total : 12", True),
        ("à 10:30", False),
        ("«\u00a0Équipes\u00a0»", False),
        ("« Équipes »", True),
        ("%(rate)s\u202f%%", False),
        ("%(rate)s%%", True),
        ('<a href="/x?y=1">Clients</a>', False),
    ],
)
def test_the_punctuation_check_sees_what_is_wrong(text, faulty):
    assert bool(punctuation_faults(text)) is faulty


@pytest.mark.parametrize(
    ("english", "french", "faulty"),
    [
        ("3 seats are left.", "Il reste 3 places.", False),
        ("3 seats are left.", "Il reste 3 licences.", True),
        ("Your provider admin", "Votre administrateur fournisseur", False),
        ("An encrypted name", "Un nom crypté", True),
        ("%(client)s is ready.", "%(client)s est prête.", False),
    ],
)
def test_the_glossary_check_sees_another_word(english, french, faulty):
    assert bool(glossary_faults(english, french)) is faulty
