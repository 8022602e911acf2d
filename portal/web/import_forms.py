"""What the forms of imported lists share: the list itself, and one line of it."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import RadioField, TextAreaField

from portal.domain.csv_lists import LARGEST, NOTHING, Listed, decode
from portal.domain.errors import Message, refuse
from portal.web.forms import Form, sentence


class ImportForm(Form):
    """A list, as a file or pasted; where both are given, the file."""

    file = FileField(_l("File"), render_kw={"accept": ".csv,.txt,.tsv,text/csv,text/plain"})
    text = TextAreaField(_l("Or paste the list"), render_kw={"rows": "8", "spellcheck": "false"})
    locale = RadioField(_l("Language of the invitations"))

    def found(self, read: Callable[[str], Listed]) -> Listed:
        """What `read` finds in the list; raises `RuleError` where nothing can be read."""
        upload = self["file"].data
        if upload:
            return read(decode(upload.stream.read(LARGEST + 1)))
        if not (self["text"].data or "").strip():
            raise refuse(NOTHING)
        return read(self["text"].data)


class ImportLineForm(Form):
    """One line, as it was typed; its mistakes stand at their fields."""

    FIELDS: ClassVar[tuple[str, ...]]

    def show(self, problems: Mapping[str, Message]) -> None:
        """Put each mistake to its field."""
        for name, message in problems.items():
            if name in self.FIELDS:
                self[name].errors = [sentence(message)]
            else:
                self.form_errors.append(sentence(message))

    def typed(self) -> dict[str, str]:
        """What was sent."""
        return {name: str(self[name].data or "") for name in self.FIELDS}
