"""Inviting many people from a list: what a list and each of its lines can be."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from portal.domain import csv_lists
from portal.domain.access import Role
from portal.domain.csv_lists import MORE, TOO_MANY_CELLS, Listed, Shape
from portal.domain.emails import check_email
from portal.domain.errors import N_, Message, RuleError
from portal.domain.membership import Manager, check_role
from portal.domain.names import check_external_id, name_ci, squeeze
from portal.domain.plans import Plan
from portal.domain.staff import split_addresses
from portal.domain.states import MemberState

LINES = 2000
BATCH = 100
FIELDS = ("email", "role", "groups", "external_id")
LABELS = {
    "email": N_("E-mail address"),
    "role": N_("Role"),
    "groups": N_("Groups"),
    "external_id": N_("External id"),
}
_CALLED = {
    "email": (
        "e-mail address|email address|e-mail|email|mail|address|member|user|user name|username"
        "|user principal name|adresse e-mail|adresse email|adresse electronique|adresse|courriel"
        "|membre|utilisateur"
    ),
    "role": "role|roles",
    "groups": "groups|group|groupes|groupe",
    "external_id": (
        "external id|external identifier|externalid|object id|identifiant externe|id externe"
    ),
}
SHAPE = Shape(
    FIELDS, _CALLED, least=1, most=LINES, empty=N_("There is no line with an address in it.")
)

TWICE = N_("This address stands in line %(line)s already.")
SAME_ID = N_("Line %(line)s has this external id already.")
ID_TAKEN = N_("Another member has this external id already.")
HERE = N_("This person is a member already, or is invited. Their place stays as it is.")
REVOKED = N_("The access of this person is revoked. Restore it in the list of members.")
STAGED = N_("This person is prepared already. Invite them in the list of members.")
NO_ROLE = N_("There is no role of this name. Write User, Admin or Owner.")
CUSTOM_ROLE = N_(
    "A custom role is made of parts, which do not fit into a cell. Invite this person by the form."
)
NO_GROUP = N_("There is no group %(name)s.")
SEVERAL_GROUPS = N_("Several groups are called %(name)s. Give them different names first.")
NO_GROUPS_TO_GIVE = N_("You do not manage the groups here, so you cannot give any.")

_ROLES = {
    **dict.fromkeys(("", "user", "member", "utilisateur", "membre"), Role.USER),
    **dict.fromkeys(("admin", "administrator", "administrateur"), Role.ADMIN),
    **dict.fromkeys(("owner", "proprietaire"), Role.OWNER),
    **dict.fromkeys(("custom", "personnalise"), Role.CUSTOM),
}

Typed = Mapping[str, str]


@dataclass(frozen=True)
class Here:
    """What a list meets: who manages, what the plan has, and who and what is there already.

    `groups` are (id, name); `states` are of the members by address; `external_ids` are those
    that members have.
    """

    plan: Plan
    by: Manager
    gives_groups: bool
    groups: Sequence[tuple[UUID, str]] = ()
    states: Mapping[str, MemberState] = field(default_factory=dict)
    external_ids: Collection[str] = ()

    @property
    def called(self) -> Mapping[str, list[UUID]]:
        """The groups by exact and by folded name; a list, since a name may be there twice."""
        found: dict[str, list[UUID]] = defaultdict(list)
        for group_id, name in self.groups:
            for key in {squeeze(name), name_ci(name)}:
                found[key].append(group_id)
        return found


@dataclass
class Wanted:
    """What a line asks for, as far as it can be read."""

    email: str = ""
    role: Role = Role.USER
    groups: frozenset[UUID] = frozenset()
    external_id: str = ""
    problems: dict[str, Message] = field(default_factory=dict)


def read(text: str) -> Listed:
    """The people of a list; raises `RuleError` where there are none, or too many."""
    return csv_lists.read(text, SHAPE)


def address_in(cell: str) -> str:
    """The address of a cell, also of `Jun Ito <jun@example.com>`; as typed where it is none."""
    found = split_addresses(cell)
    return found[0] if len(found) == 1 else cell


def role_of(cell: str) -> Role | None:
    """The role of that name that a list can give; None for one that it cannot."""
    found = _ROLES.get(name_ci(cell))
    return None if found is Role.CUSTOM else found


def wanted_of(typed: Typed, here: Here, called: Mapping[str, list[UUID]] | None = None) -> Wanted:
    """A line by the rules of the form, with what is wrong with it by field."""
    line = Wanted()
    _read_email(line, typed.get("email", ""), here)
    _read_role(line, typed.get("role", ""), here)
    _read_groups(line, typed.get("groups", ""), here, here.called if called is None else called)
    try:
        line.external_id = check_external_id(typed.get("external_id", ""))
    except RuleError as error:
        line.problems["external_id"] = error.text
    if line.external_id and line.external_id in here.external_ids:
        line.problems["external_id"] = Message(ID_TAKEN)
    if typed.get(MORE):
        line.problems[MORE] = Message(TOO_MANY_CELLS)
    return line


_SINCE = {MemberState.REVOKED: REVOKED, MemberState.STAGED: STAGED}


def _read_email(line: Wanted, cell: str, here: Here) -> None:
    try:
        line.email = check_email(address_in(cell), field="email")
    except RuleError as error:
        line.problems["email"] = error.text
        return
    state = here.states.get(line.email)
    if state is not None:
        line.problems["email"] = Message(_SINCE.get(state, HERE))


def _read_role(line: Wanted, cell: str, here: Here) -> None:
    role = role_of(cell)
    if role is None:
        is_custom = _ROLES.get(name_ci(cell)) is Role.CUSTOM
        line.problems["role"] = Message(CUSTOM_ROLE if is_custom else NO_ROLE)
        return
    line.role = role
    try:
        check_role(role, (), here.plan, here.by)
    except RuleError as error:
        line.problems["role"] = error.text


def _read_groups(line: Wanted, cell: str, here: Here, called: Mapping[str, list[UUID]]) -> None:
    names = [name for name in map(squeeze, cell.split(";")) if name]
    if names and not here.gives_groups:
        line.problems["groups"] = Message(NO_GROUPS_TO_GIVE)
        return
    found = set()
    for name in names:
        ids = called.get(name) or called.get(name_ci(name)) or []
        if len(ids) != 1:
            line.problems["groups"] = Message.of(SEVERAL_GROUPS if ids else NO_GROUP, name=name)
            return
        found.add(ids[0])
    line.groups = frozenset(found)


def judged(lines: Mapping[int, Typed], here: Here) -> dict[int, Wanted]:
    """Each line of a list: with it, and beside the others; the first of two counts."""
    called = here.called
    found = {number: wanted_of(typed, here, called) for number, typed in sorted(lines.items())}
    for name, told in (("email", TWICE), ("external_id", SAME_ID)):
        first: dict[str, int] = {}
        for number, line in found.items():
            key = getattr(line, name)
            if key and first.setdefault(key, number) != number:
                line.problems.setdefault(name, Message.of(told, line=first[key]))
    return found
