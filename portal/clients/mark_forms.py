"""The forms of tags, notes and saved views."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.widgets import CheckboxInput, ListWidget

from portal.clients.tagging import Annotation
from portal.domain.errors import RuleError
from portal.domain.names import COLOURS, check_name
from portal.domain.tags import check_number, check_tag, clean_note, clean_reference, split_tags
from portal.web.forms import Form

Cleaned = TypeVar("Cleaned")

COLOUR_NAMES = (
    _l("Red"),
    _l("Orange"),
    _l("Amber"),
    _l("Olive"),
    _l("Green"),
    _l("Teal"),
    _l("Cyan"),
    _l("Sky blue"),
    _l("Blue"),
    _l("Violet"),
    _l("Purple"),
    _l("Pink"),
)


class TagForm(Form):
    """A tag's name and colour."""

    name = StringField(_l("Name"), render_kw={"autocomplete": "off"})
    colour = RadioField(
        _l("Colour"),
        choices=[SelectChoice(str(number), name) for number, name in enumerate(COLOUR_NAMES, 1)],
        validate_choice=False,
    )

    def wanted(self) -> tuple[str, int]:
        """Name and colour as they are stored; the errors stand at their fields, as `RuleError`."""
        number = self["colour"].data or ""
        known = {str(colour) for colour in range(1, COLOURS + 1)}
        return check_tag(self["name"].data or ""), int(number) if number in known else 1


class AnnotationForm(Form):
    """What stands beside a client."""

    seen = HiddenField()
    tags = SelectMultipleField(
        _l("Tags"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,
    )
    new_tags = StringField(
        _l("New tags"),
        description=_l("Type names with commas between them. Each becomes a tag of the provider."),
        render_kw={"autocomplete": "off"},
    )
    note = TextAreaField(
        _l("Note"),
        description=_l("Only the provider's people read it. Write no passwords here."),
        render_kw={"rows": 5},
    )
    external_reference = StringField(
        _l("External reference"),
        description=_l("The number of this client in your ticket or billing system."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )

    def annotation(self, known: set[UUID]) -> tuple[Annotation, list[str]] | None:
        """What is wanted, and the names of the new tags; None where a field has an error."""
        chosen = frozenset(tag_id for tag_id in known if tag_id.hex in (self["tags"].data or []))
        note = self._try("note", clean_note)
        reference = self._try("external_reference", clean_reference)
        names = self._try("new_tags", lambda text: split_tags(text, field="new_tags"))
        try:
            check_number(len(chosen) + len(names or []), field="new_tags" if names else "tags")
        except RuleError as error:
            self.blame(error)
        if self.errors or names is None:
            return None
        return Annotation(note or "", reference or "", chosen), names

    def _try(self, name: str, clean: Callable[[str], Cleaned]) -> Cleaned | None:
        try:
            return clean(self[name].data or "")
        except RuleError as error:
            self.blame(error)
            return None


class ViewForm(Form):
    """A name for what the Clients table shows."""

    query = HiddenField()
    name = StringField(_l("Name"), render_kw={"autocomplete": "off"})
    is_shared = BooleanField(
        _l("Share it"),
        description=_l("Everybody who works for this provider sees it above the table."),
    )

    def cleaned(self) -> str:
        """The name as it is stored, or a `RuleError`."""
        return check_name(self["name"].data or "")
