"""French is complete, keeps step with the code, and is written as the house writes it."""

import re
from collections.abc import Callable

import pytest

from tests.support import catalogue
from tests.support.catalogue import Sentence, sentences
from tests.support.project import read
from tests.support.renew_catalogue import HEADER, renewed

NB = "\N{NO-BREAK SPACE}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")

# What is the same word in both languages.
SAME = {
    "%(num)s minute",
    "%(count)s client",
    "API",
    "Actions",
    "Client",
    "Clients",
    "Code",
    "Collections",
    "Europe",
    "Finance",
    "Marketing",
    "Collection %(external_id)s",
    "Collection %(number)s",
    "Configuration",
    "Personnel",
    "Collection",
    "Invitations",
    "Logo",
    "Menu",
    "Pages",
    "QR code",
    "%(name)s, version %(number)s",
    "Version",
    "Version %(number)s",
    "Versions",
}

# The glossary: what an English term is in French, and nothing else.
WORDS = {
    r"providers?": r"fournisseurs?",
    r"provider admins?": r"administrateurs? fournisseurs?",
    r"service users?": r"techniciens?",
    r"clients?": r"clients?",
    r"organizations?": r"organisations?",
    r"members?": r"membres?",
    r"seats?": r"places?",
    r"seat limit": r"plafond de places",
    r"plans?": r"formules?",
    r"billing cadence": r"périodicité de facturation",
    r"collections?": r"collections?",
    r"polic(y|ies)": r"politiques? de sécurité",
    r"event log": r"journal des événements",
    r"events?": r"événements?",
    r"items?": r"éléments?",
    r"remaining": r"restantes?",
    r"suspended": r"suspendue?s?",
    r"unlink": r"dissoci\w+",
    r"vaults?": r"coffres?",
    r"encrypted": r"chiffrée?s?",
    r"owners?": r"propriétaires?",
    r"master passwords?": r"mots? de passe principa(l|ux)",
    r"fingerprint phrase": r"phrase d'empreinte",
    r"recovery codes?": r"codes? de récupération",
    r"recovery sheet": r"fiche de récupération",
    r"second factor": r"second facteur",
    r"authenticator app": r"application d'authentification",
    r"single sign-on": r"authentification unique \(SSO\)",
    r"verified domains?": r"domaines? vérifiés?",
    r"set-up": r"mise en service",
    r"stuck people": r"personnes en attente",
    r"expiry radar": r"échéances",
    r"provider portal": r"portail fournisseur",
    r"admin console": r"console d'administration",
    r"billing e-mail": r"adresses? e-mail de facturation",
    r"client owner e-mail": r"adresse e-mail du propriétaire du client",
    r"additional storage": r"stockage supplémentaire",
    r"GB": r"Go",
    r"invoices?": r"factures?",
    r"VAT number": r"numéro de TVA",
    r"scripts": r"JavaScript",
    r"load (the|this) page again": r"rechargez (la|cette) page",
}

# Whose word stands in the label beside it: "Formule : Toutes".
BESIDE_ITS_LABEL = {"All plans"}

# Words of other products, other countries and other times for the same things.
NEVER = {
    "a second word for a seat": r"\b(sièges?|licences?)\b",
    "a word of Canada": r"\bcourriels?\b",
    "a false friend of encryption": r"\b(dé)?crypt\w*",
    "a false friend of editing": r"\bédit(er|ez|é)\b",
    "a second word for unlinking": r"\bdéli(er|ez|é)\b",
    "a second word for the seat limit": r"limites? de places",
    "the English plan": r"\bplans?\b",
    "an English word": r"\b(login|logout|owner|password|provider|set-up)\b|(?<!e-)\bmails?\b",
    "ceremony": r"s'il vous plaît|veuillez",
    "two genders at once": r"\w·\w|\(e\)",
}

TYPOGRAPHY = {
    "a space that breaks before : ; ? or %": rf"(?<!{NB})([;?»]|:(?!//|\d)|%%)",
    "a space that breaks after «": rf"«(?!{NB})",
    "a straight apostrophe": r"'",
    "a quotation mark of other languages": r"[\"\N{LEFT DOUBLE QUOTATION MARK}]",
    "three dots": r"\.\.\.",
    "an exclamation mark": r"!",
    "a doubled space": rf"[ {NB}]{{2}}",
    "a space before a comma, a full stop or an ellipsis": rf"[ {NB}][,.…](?!\d)",
    "a narrow space": "\N{NARROW NO-BREAK SPACE}",
}
CALM = {"an exclamation mark": r"!", "three dots": r"\.\.\.", "a plea": r"\bplease\b"}


def found(rules: dict[str, str], text: str) -> set[str]:
    bare = text.replace(APOSTROPHE, "'") if rules is NEVER else text
    return {name for name, pattern in rules.items() if re.search(pattern, bare, re.IGNORECASE)}


def unlike_typography(sentence: Sentence) -> set[str]:
    return set().union(*(found(TYPOGRAPHY, form) for form in sentence.french))


def unwanted_words(sentence: Sentence) -> set[str]:
    return set().union(*(found(NEVER, PLACEHOLDER.sub("", form)) for form in sentence.french))


def uncalm(sentence: Sentence) -> set[str]:
    return set().union(*(found(CALM, form) for form in sentence.english))


def mistranslated(sentence: Sentence) -> set[str]:
    """The glossary's terms that stand in the English and not in each form of the French."""
    if sentence.english[0] in BESIDE_ITS_LABEL:
        return set()
    english = PLACEHOLDER.sub("", " ".join(sentence.english))
    return {
        term
        for term, word in WORDS.items()
        if re.search(rf"\b({term})\b", english, re.IGNORECASE)
        and not all(_says(word, form) for form in sentence.french)
    }


def _says(word: str, form: str) -> bool:
    bare = PLACEHOLDER.sub("", form).replace(APOSTROPHE, "'")
    return re.search(rf"\b({word})(?!\w)", bare, re.IGNORECASE) is not None


def incomplete(sentence: Sentence) -> bool:
    written = [form for form in sentence.french if form.strip()]
    return len(written) != len(sentence.english)


def other_placeholders(sentence: Sentence) -> bool:
    wanted = set(PLACEHOLDER.findall(" ".join(sentence.english)))
    return any(set(PLACEHOLDER.findall(form)) != wanted for form in sentence.french)


def other_edges(sentence: Sentence) -> bool:
    """Whether one language begins or ends with a space, or ends with a stop, and one does not."""
    pairs = zip(sentence.english, sentence.french, strict=True)
    return any(_edges(english) != _edges(french) for english, french in pairs)


def _edges(text: str) -> tuple[bool, bool, str]:
    last = text.rstrip()[-1:]
    return text[:1].isspace(), text[-1:].isspace(), last if last in ".?:…" else ""


def still_english(sentence: Sentence) -> bool:
    words = re.search(r"\w", PLACEHOLDER.sub("", sentence.english[0]))
    same = sentence.french[0] == sentence.english[0]
    return words is not None and same and sentence.english[0] not in SAME


RULES: dict[str, Callable[[Sentence], object]] = {
    "has every form": incomplete,
    "keeps the placeholders": other_placeholders,
    "begins and ends alike": other_edges,
    "is French": still_english,
    "keeps to the typography": unlike_typography,
    "says each thing with its one word": mistranslated,
    "uses no word of others": unwanted_words,
    "is calm in English": uncalm,
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_every_sentence(rule):
    faults = {sentence.french: rule(sentence) for sentence in sentences() if rule(sentence)}
    assert faults == {}


def test_the_catalogue_holds_the_sentences_of_the_code_and_no_other():
    """Else run `bin/translate` and translate what is empty."""
    assert catalogue.in_the_code() - catalogue.in_the_catalogue() == set()
    assert catalogue.in_the_catalogue() - catalogue.in_the_code() == set()


def test_the_catalogue_keeps_no_leftovers():
    assert catalogue.catalogue().obsolete == {}
    assert [str(entry.id) for entry in catalogue.catalogue() if entry.id and entry.fuzzy] == []


def test_the_catalogue_says_how_french_counts_and_names_no_person_and_no_line():
    text = read(catalogue.FRENCH)
    assert text.startswith(HEADER)
    assert re.findall(r"^#: .*:\d+", text, re.MULTILINE) == []


def test_the_command_that_renews_the_catalogue_loses_nothing():
    kept = re.findall(r"^msg.*$", renewed(), re.MULTILINE)
    assert sorted(kept) == sorted(re.findall(r"^msg.*$", read(catalogue.FRENCH), re.MULTILINE))


def test_words_that_stay_the_same_are_still_in_use():
    assert {sentence.english[0] for sentence in sentences()} >= SAME


@pytest.mark.parametrize("name", catalogue.templates())
def test_a_template_writes_no_word_of_its_own(name):
    assert list(catalogue.untranslated(read(name))) == []


def test_the_code_says_nothing_that_is_not_translated():
    said = {name: list(catalogue.spoken_literals(read(name))) for name in catalogue.modules()}
    assert {name: calls for name, calls in said.items() if calls} == {}


def test_a_bare_word_of_a_template_is_found():
    template = "{% if a %}<p title='Way out'>{{ _('Told') }} Bare</p>{% endif %}"
    assert list(catalogue.untranslated(template)) == ["Bare", "Way out"]


def test_a_bare_sentence_of_the_code_is_found():
    code = "name = StringField('Name')\nraise refuse(_('Told'))\nnotices.add(f'{a} is gone')"
    assert len(list(catalogue.spoken_literals(code))) == 2


@pytest.mark.parametrize(
    ("rule", "english", "french"),
    [
        (incomplete, ("Seat", "Seats"), ("Place",)),
        (incomplete, ("Seat",), (" ",)),
        (other_placeholders, ("Hello %(name)s",), ("Bonjour %(nom)s",)),
        (other_placeholders, ("%(n)s seat", "%(n)s seats"), ("Une place", "%(n)s places")),
        (other_edges, ("Load it again.",), ("Rechargez",)),
        (other_edges, ("Error: ",), (f"Erreur{NB}:",)),
        (still_english, ("Seats",), ("Seats",)),
        (mistranslated, ("Seats",), ("Postes",)),
        (mistranslated, ("Owner and provider",), ("Propriétaire",)),
        (mistranslated, ("%(n)s seat", "%(n)s seats"), ("%(n)s place", "%(n)s postes")),
        (unwanted_words, ("Mail",), ("Mail",)),
        (unwanted_words, ("Invited",), ("Invité·e",)),
        (uncalm, ("Done!",), ("Terminé",)),
    ],
)
def test_a_rule_finds_what_it_is_for(rule, english, french):
    assert rule(Sentence(english, french))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a space that breaks before : ; ? or %", "Reste : une place"),
        ("a space that breaks after «", f"« Places{NB}»"),
        ("a straight apostrophe", "l'aide"),
        ("a quotation mark of other languages", '"Places"'),
        ("three dots", "Envoi..."),
        ("an exclamation mark", f"Bravo{NB}!"),
        ("a doubled space", "Une  place"),
        ("a space before a comma, a full stop or an ellipsis", "Une place ."),
        ("a narrow space", "Où\N{NARROW NO-BREAK SPACE}?"),
    ],
)
def test_the_typography_finds_its_faults(name, text):
    assert name in found(TYPOGRAPHY, text)


def test_well_set_french_breaks_no_rule():
    french = f"L{APOSTROPHE}e-mail{NB}: «{NB}places{NB}», 5{NB}%% à 12:30, sur https://a.test…"
    assert unlike_typography(Sentence(("x",), (french,))) == set()
    assert unwanted_words(Sentence(("x",), (french,))) == set()
