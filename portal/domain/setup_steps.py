"""Setting up a client: six steps in a fixed order, their state derived from facts."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.errors import N_, refuse
from portal.domain.names import is_printable, squeeze
from portal.domain.plans import Feature, Plan


class StepKind(StrEnum):
    """The steps in the order in which they are done: policies come before people."""

    COLLECTIONS = "collections"
    VAULT = "vault"
    POLICIES = "policies"
    SSO = "sso"
    GROUPS = "groups"
    MEMBERS = "members"

    @property
    def label(self) -> str:
        """What is to be done, as a message id."""
        return _LABELS[self]


class StepState(StrEnum):
    DONE = "done"
    OPEN = "open"
    SKIPPED = "skipped"
    NOT_IN_PLAN = "not_in_plan"

    @property
    def label(self) -> str:
        """The state as a message id."""
        return _STATE_LABELS[self]


_LABELS = {
    StepKind.COLLECTIONS: N_("Create collections"),
    StepKind.VAULT: N_("Fill the vault"),
    StepKind.POLICIES: N_("Set policies"),
    StepKind.SSO: N_("Connect single sign-on"),
    StepKind.GROUPS: N_("Create groups"),
    StepKind.MEMBERS: N_("Invite members"),
}
_STATE_LABELS = {
    StepState.DONE: N_("Done"),
    StepState.OPEN: N_("To do"),
    StepState.SKIPPED: N_("Skipped"),
    StepState.NOT_IN_PLAN: N_("Enterprise only"),
}
_NEEDS = {StepKind.POLICIES: Feature.POLICIES, StepKind.SSO: Feature.SSO}
_OWNER_ALONE = 1
NOTE_LIMIT = 300


@dataclass(frozen=True)
class SetupFacts:
    """What is known about a client: counts of what exists there now.

    `groups_with_access` counts groups that reach at least one collection; `confirmed_members`
    includes the owner, who comes with the client: the step asks for somebody more.
    """

    collections: int = 0
    items: int = 0
    policies_on: int = 0
    sso_sign_in_seen: bool = False
    groups_with_access: int = 0
    confirmed_members: int = 0

    def proves(self, kind: StepKind) -> bool:
        proofs = {
            StepKind.COLLECTIONS: self.collections > 0,
            StepKind.VAULT: self.items > 0,
            StepKind.POLICIES: self.policies_on > 0,
            StepKind.SSO: self.sso_sign_in_seen,
            StepKind.GROUPS: self.groups_with_access > 0,
            StepKind.MEMBERS: self.confirmed_members > _OWNER_ALONE,
        }
        return proofs[kind]


@dataclass(frozen=True)
class Step:
    """One step as the set-up page shows it; `number` counts from 1."""

    number: int
    kind: StepKind
    state: StepState

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done: done, or skipped on purpose."""
        return self.state in (StepState.DONE, StepState.SKIPPED)


def check_note(text: str) -> str:
    """Why a step is left out, as it is stored; `RuleError` on `note`."""
    cleaned = squeeze(text)
    if not cleaned:
        raise refuse(N_("Say why this step is skipped."), field="note")
    if len(cleaned) > NOTE_LIMIT or not is_printable(cleaned):
        raise refuse(
            N_("Enter at most %(limit)s characters, without control characters."),
            field="note",
            limit=NOTE_LIMIT,
        )
    return cleaned


def setup_steps(
    plan: Plan, facts: SetupFacts, skipped: Collection[StepKind] = frozenset()
) -> tuple[Step, ...]:
    """All six steps in order. A fact counts for more than an earlier decision to skip."""
    return tuple(
        Step(number, kind, _state(plan, kind, facts, skipped))
        for number, kind in enumerate(StepKind, start=1)
    )


def _state(
    plan: Plan, kind: StepKind, facts: SetupFacts, skipped: Collection[StepKind]
) -> StepState:
    if kind in _NEEDS and not plan.has(_NEEDS[kind]):
        return StepState.NOT_IN_PLAN
    if facts.proves(kind):
        return StepState.DONE
    return StepState.SKIPPED if kind in skipped else StepState.OPEN


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps, as in `3/6`; a skipped step counts as done."""

    done: int
    total: int

    @property
    def left(self) -> int:
        """Steps still open: the stored number by which the Clients table sorts and filters."""
        return self.total - self.done

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"


def progress(steps: Collection[Step]) -> Progress:
    """How far a client has come; steps that its plan lacks do not count."""
    in_plan = [step for step in steps if step.state is not StepState.NOT_IN_PLAN]
    return Progress(done=sum(step.settled for step in in_plan), total=len(in_plan))
