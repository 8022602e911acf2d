"""How a rule says no, in words that the edge can translate.

The rules know no gettext: a sentence is a message id with named placeholders, marked for
extraction by `N_` or `NN_` and translated where it is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

# Like Flask-Babel's: they translate and fill the placeholders from keyword arguments.
Gettext = Callable[..., str]
Ngettext = Callable[..., str]
FormatParam = Callable[[object], object]


def N_(msgid: str) -> str:  # noqa: N802 - the conventional name of a gettext marker
    """Mark `msgid` for the catalogue (extraction keyword `N_`) and return it unchanged."""
    return msgid


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - the plural form of `N_`
    """Mark a singular and a plural for the catalogue (extraction keyword `NN_:1,2`)."""
    return one, many


def _english(msgid: str, /, **params: object) -> str:
    return msgid % params if params else msgid


def _english_count(one: str, many: str, number: int, /, **params: object) -> str:
    return _english(one if number == 1 else many, **params)


def _unchanged(value: object) -> object:
    return value


@dataclass(frozen=True)
class Message:
    """A sentence that is translated when it is shown.

    `msgid` carries `%(name)s` placeholders for `params`. With `plural`, `count` chooses the form
    and is itself available as the placeholder `count`.
    """

    msgid: str
    params: Mapping[str, object] = field(default_factory=dict)
    plural: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        params = dict(self.params)
        if self.plural is not None:
            params.setdefault("count", self.count)
        object.__setattr__(self, "params", MappingProxyType(params))

    @classmethod
    def of(cls, msgid: str, **params: object) -> "Message":
        """A sentence without a plural."""
        return cls(msgid, params)

    @classmethod
    def counted(cls, forms: tuple[str, str], count: int, **params: object) -> "Message":
        """A sentence whose form depends on `count`; `forms` comes from `NN_`."""
        one, many = forms
        return cls(one, params, plural=many, count=count)

    def render(
        self,
        gettext: Gettext = _english,
        ngettext: Ngettext = _english_count,
        format_param: FormatParam = _unchanged,
    ) -> str:
        """The sentence in the language of `gettext` and `ngettext`; English without them.

        `format_param` writes each parameter in the reader's locale (money, dates, numbers).
        """
        params = {name: format_param(value) for name, value in self.params.items()}
        if self.plural is None:
            return gettext(self.msgid, **params)
        return ngettext(self.msgid, self.plural, self.count, **params)

    def __hash__(self) -> int:
        return hash((self.msgid, self.plural, self.count))

    def __str__(self) -> str:
        return self.render()


class RuleError(Exception):
    """A rule said no. `field` names the form field to blame, if one is.

    `message` is the message id, `params` its placeholders, `text` both together, ready to be
    rendered in any language; `str(error)` is the English sentence.
    """

    def __init__(self, message: Message | str, *, field: str | None = None) -> None:
        self.text = message if isinstance(message, Message) else Message(message)
        self.field = field
        super().__init__(str(self.text))

    @property
    def message(self) -> str:
        return self.text.msgid

    @property
    def params(self) -> Mapping[str, object]:
        return self.text.params


def refuse(msgid: str, *, field: str | None = None, **params: object) -> RuleError:
    """The error that says `msgid` with `params`, to be raised or collected."""
    return RuleError(Message(msgid, params), field=field)


class Changed(RuleError):
    """The row is not the version any more that was looked at."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed this in the meantime. Your changes are not saved yet.")
        )
