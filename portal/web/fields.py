"""Fields that several areas' forms have."""

from wtforms import IntegerField
from wtforms.widgets import TextInput

from portal.domain.errors import RuleError
from portal.domain.whole_numbers import whole_number
from portal.web.forms import sentence


class WholeNumber(IntegerField):
    """A number as people type it: with spaces around and between the thousands."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """None for an empty box; the text stays in it when it is no number."""
        self.data = None
        try:
            self.data = whole_number(valuelist[0]) if valuelist else None
        except RuleError as error:
            raise ValueError(sentence(error.text)) from None
