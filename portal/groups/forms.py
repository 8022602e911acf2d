"""The forms of groups."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField, TextAreaField

from portal.domain.names import check_external_id
from portal.groups.service import check_group_name
from portal.web.forms import Form


class GroupForm(Form):
    """A group's name and what a directory calls it."""

    version = HiddenField()
    name = StringField(_l("Name"), render_kw={"autocomplete": "off"})
    external_id = StringField(
        _l("External id"),
        description=_l("What your directory calls this group. Leave it empty without a directory."),
        render_kw={"autocomplete": "off"},
    )

    def wanted(self) -> tuple[str, str]:
        """Name and external id as they are stored; raises `RuleError` on the field."""
        return (
            check_group_name(self["name"].data or ""),
            check_external_id(self["external_id"].data or ""),
        )

    @property
    def seen(self) -> int:
        """The version of the group that the page showed; 0 for nothing readable."""
        text = self["version"].data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class PasteForm(Form):
    """Addresses of members, pasted."""

    addresses = TextAreaField(
        _l("E-mail addresses"),
        description=_l("One a line, or with commas between them, as copied from a spreadsheet."),
        render_kw={"rows": 6, "autocomplete": "off"},
    )
