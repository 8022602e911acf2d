"""View models of the set-up page and of the strip above the collections."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.domain.errors import N_
from portal.domain.plans import Plan
from portal.domain.setup_steps import (
    Progress,
    SetupFacts,
    Step,
    StepKind,
    StepState,
    progress,
    setup_steps,
)
from portal.events.queries import Told

# Steps whose area exists; a step without a page is told, not linked.
PAGES = {
    StepKind.COLLECTIONS: "collections.index",
    StepKind.GROUPS: "groups.index",
    StepKind.MEMBERS: "members.index",
}
_ABOUT = {
    StepKind.COLLECTIONS: _l("Collections hold what people share. The first one came with it."),
    StepKind.VAULT: _l("Import what the client has now, or add the first items by hand."),
    StepKind.POLICIES: _l("Decide what holds for everybody before people come in."),
    StepKind.SSO: _l("People sign in with the account of their company."),
    StepKind.GROUPS: _l("Groups reach collections, so that access follows the team."),
    StepKind.MEMBERS: _l("Invite the people, and confirm those who have accepted."),
}
# The macros' words for a step's state.
_MARKS = {StepState.NOT_IN_PLAN: "unavailable"}
HISTORY = (
    "organization:organization:create",
    "organization:keys:create",
    "organization:member:invite",
    "organization:member:reinvite",
    "organization:member:replace_address",
    "organization:member:accept",
    "organization:member:confirm",
    "organization:member:key_changed",
)


@dataclass(frozen=True)
class StepView:
    """A step as the macros draw it."""

    number: int
    label: str
    text: str
    state: str
    state_label: str
    url: str | None


@dataclass(frozen=True)
class SetupView:
    """All steps; `current` is the number of the next one that can be done here, or 0."""

    steps: tuple[StepView, ...]
    current: int
    progress: Progress

    @property
    def is_done(self) -> bool:
        return self.progress.left == 0


@dataclass(frozen=True)
class Line:
    """One line of the history: when, and a sentence."""

    at: dt.datetime
    text: str


def setup_view(organization_id: UUID, plan: Plan, facts: SetupFacts, *, linked: bool) -> SetupView:
    """The steps of a client; `linked` for whoever may open their pages."""
    steps = setup_steps(plan, facts)
    views = tuple(_step_view(step, organization_id, linked=linked) for step in steps)
    reachable = [view.number for view in views if view.state == "open" and view.url]
    return SetupView(views, next(iter(reachable), 0), progress(steps))


def _step_view(step: Step, organization_id: UUID, *, linked: bool) -> StepView:
    endpoint = PAGES.get(step.kind) if linked else None
    return StepView(
        number=step.number,
        label=_(step.kind.label),
        text=str(_ABOUT[step.kind]),
        state=_MARKS.get(step.state, step.state.value),
        state_label=_(step.state.label),
        url=url_for(endpoint, organization_id=organization_id) if endpoint else None,
    )


def history(events: Sequence[Told]) -> list[Line]:
    """Who did what, in sentences."""
    return [Line(event.at, _sentence(event)) for event in events]


def _sentence(event: Told) -> str:
    # What was erased is missing from the details.
    erased = dict.fromkeys(("email", "before", "after"), _("(erased)"))
    known = {**erased, "who": event.who or _("The portal"), **event.details}
    if event.kind == "organization:member:confirm" and event.details.get("by_making_keys"):
        return str(_("%(who)s made the keys when joining, and so is confirmed.", **known))
    if event.kind == "organization:keys:create" and event.details.get("by_owner"):
        return str(_("The owner's browser made the keys of the organization."))
    if event.kind == "organization:member:reinvite" and not event.who:
        return str(_("%(email)s asked for a new invitation.", **known))
    return str(_(_SENTENCES[event.kind], **known))


_SENTENCES = {
    "organization:organization:create": N_("%(who)s created the client."),
    "organization:keys:create": N_("%(who)s made the keys of the organization."),
    "organization:member:invite": N_("%(who)s invited %(email)s."),
    "organization:member:reinvite": N_("%(who)s sent the invitation to %(email)s again."),
    "organization:member:replace_address": N_(
        "%(who)s replaced the invited address %(before)s by %(after)s."
    ),
    "organization:member:accept": N_("%(who)s accepted the invitation."),
    "organization:member:confirm": N_("%(who)s confirmed %(email)s."),
    "organization:member:key_changed": N_(
        "%(who)s was kept from confirming %(email)s, whose key had changed."
    ),
}
