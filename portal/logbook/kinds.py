"""Types of events as the filter offers them, in groups."""

from collections import defaultdict
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.events.sentences import SENTENCES, group_of
from portal.events.vocabulary import VOCABULARY


@dataclass(frozen=True)
class Group:
    """A heading of the filter. `value` asks for all its kinds; `kinds` are (value, label)."""

    value: str
    label: str
    kinds: tuple[tuple[str, str], ...]


class _Dots(defaultdict[str, str]):
    """An ellipsis in each place of a sentence."""

    def __init__(self) -> None:
        super().__init__(lambda: "…")


def kinds_in(sources: tuple[str, ...]) -> dict[str, list[str]]:
    """The kinds that a log can have, by the key of their group; `sources` as a kind begins."""
    groups: dict[str, list[str]] = {}
    for kind in VOCABULARY:
        if kind.split(":")[0] in sources or kind == "account:account:erase":
            groups.setdefault(group_of(kind)[0], []).append(kind)
    return groups


def choices(sources: tuple[str, ...]) -> tuple[Group, ...]:
    """What the select offers."""
    return tuple(
        Group(f"*{key}", _(group_of(kinds[0])[1]), tuple((kind, label_of(kind)) for kind in kinds))
        for key, kinds in kinds_in(sources).items()
    )


def label_of(kind: str) -> str:
    """A kind's sentence, with dots for what each event puts there."""
    sentence = SENTENCES.get(kind)
    return str(_(sentence)) % _Dots() if sentence else kind


def chosen(value: str, sources: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds that a value of the filter stands for; none for all and for what is unknown."""
    groups = kinds_in(sources)
    if value.startswith("*"):
        return tuple(groups.get(value[1:], ()))
    return (value,) if any(value in kinds for kinds in groups.values()) else ()


def label_of_choice(value: str, sources: tuple[str, ...]) -> str:
    """What the chip of the filter says."""
    kinds = chosen(value, sources)
    if not kinds:
        return ""
    return str(_(group_of(kinds[0])[1])) if value.startswith("*") else label_of(value)
