"""Brings the French catalogue into step with the code: see bin/translate.

What is translated stays, what is gone goes, what is new stands there empty. The same sentences
give the same file, whoever runs it: no dates, no names, no line numbers.
"""

from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tests.support.catalogue import FRENCH, Found, catalogue, found_in_the_code
from tests.support.project import ROOT

HEADER = """\
# French, as spoken in France. The English sentences in the code are the source.
msgid ""
msgstr ""
"Project-Id-Version: Provider Portal\\n"
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def renewed() -> str:
    """The catalogue as it should lie in the file, with the translations that there are."""
    made = Catalog(locale="fr")
    for found in found_in_the_code():
        _add(made, found)
    written = BytesIO()
    write_po(written, made, width=0, omit_header=True, sort_by_file=True, include_lineno=False)
    return HEADER + written.getvalue().decode().strip("\n") + "\n"


def _add(made: Catalog, found: Found) -> None:
    old = catalogue().get(found.forms[0], found.context)
    plural = len(found.forms) > 1
    known = old is not None and isinstance(old.id, str) != plural
    made.add(
        found.forms if plural else found.forms[0],
        old.string if known else "",
        locations=[(found.file, found.line)],
        context=found.context,
    )


if __name__ == "__main__":
    (ROOT / FRENCH).write_text(renewed(), encoding="utf-8")
