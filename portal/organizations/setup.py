"""View models of the set-up page and of the strip above the collections."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.domain.access import Permission
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
from portal.web.formats import minute
from portal.web.links import link

# Where each step is done, and what its page asks for. Of an area that does not exist yet the step
# is told, not linked: the page links by itself once there is one.
PAGES = {
    StepKind.COLLECTIONS: ("collections.index", Permission.ORGANIZATION_READ),
    StepKind.POLICIES: ("policies.index", Permission.POLICIES_READ),
    StepKind.GROUPS: ("groups.index", Permission.GROUPS_READ),
    StepKind.MEMBERS: ("members.index", Permission.MEMBERS_READ),
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
    "organization:member:confirm_automatically",
    "organization:member:key_changed",
    "organization:group:create",
    "organization:policy:update",
    "organization:setup:skip",
    "organization:setup:take_up",
    "organization:organization:hide",
    "organization:organization:go_live",
)


@dataclass(frozen=True)
class StepView:
    """A step as the macros draw it.

    `skipped` says who left it out and why; `compare_url` compares the plans where this one lacks
    the step; `sets_url` makes a whole structure at once; a URL that is not for the reader is None.
    """

    number: int
    label: str
    text: str
    state: str
    state_label: str
    url: str | None
    skipped: str = ""
    skip_url: str | None = None
    take_up_url: str | None = None
    compare_url: str | None = None
    sets_url: str | None = None


@dataclass(frozen=True)
class SetupView:
    """All steps; `current` is the number of the next one that can be done here, or 0."""

    steps: tuple[StepView, ...]
    current: int
    progress: Progress

    @property
    def is_done(self) -> bool:
        return self.progress.left == 0

    @property
    def next_step(self) -> StepView | None:
        """The step that is offered first."""
        return self.steps[self.current - 1] if self.current else None


@dataclass(frozen=True)
class Line:
    """One line of the history: when, and a sentence."""

    at: dt.datetime
    text: str


def setup_view(
    organization_id: UUID,
    plan: Plan,
    facts: SetupFacts,
    skipped: Mapping[StepKind, Any],
    *,
    can: Callable[[str], bool],
) -> SetupView:
    """The steps of a client, with what the reader `can` do about each."""
    steps = setup_steps(plan, facts, skipped)
    views = tuple(_step_view(step, organization_id, skipped.get(step.kind), can) for step in steps)
    reachable = [view.number for view in views if view.state == "open" and view.url]
    return SetupView(views, next(iter(reachable), 0), progress(steps))


def _step_view(
    step: Step, organization_id: UUID, skip: Any, can: Callable[[str], bool]
) -> StepView:
    here: dict[str, Any] = {"organization_id": organization_id, "step": step.kind.value}
    may_skip = can(Permission.SETUP_SKIP)
    is_open, is_skipped = step.state is StepState.OPEN, step.state is StepState.SKIPPED
    in_plan = step.state is not StepState.NOT_IN_PLAN
    return StepView(
        number=step.number,
        label=_(step.kind.label),
        text=about(step.kind),
        state=_MARKS.get(step.state, step.state.value),
        state_label=_(step.state.label),
        url=_url(step.kind, organization_id, can) if in_plan else None,
        skipped=_reason(skip) if is_skipped else "",
        skip_url=url_for("organizations.skip_step", **here) if is_open and may_skip else None,
        take_up_url=url_for("organizations.take_step_up", **here)
        if is_skipped and may_skip
        else None,
        compare_url=None if in_plan else link("help.page", name="compare-plans"),
        sets_url=_sets_url(organization_id, can) if step.kind is StepKind.COLLECTIONS else None,
    )


def _sets_url(organization_id: UUID, can: Callable[[str], bool]) -> str | None:
    endpoint = "collections.starter_sets"
    if endpoint not in current_app.view_functions or not can(Permission.COLLECTIONS_CREATE):
        return None
    return url_for(endpoint, organization_id=organization_id)


def about(kind: StepKind) -> str:
    """What a step is for."""
    return str(_ABOUT[kind])


def _url(kind: StepKind, organization_id: UUID, can: Callable[[str], bool]) -> str | None:
    endpoint, permission = PAGES.get(kind, ("", Permission.MEMBERS_READ))
    if endpoint not in current_app.view_functions or not can(permission):
        return None
    return url_for(endpoint, organization_id=organization_id)


def _reason(skip: Any) -> str:
    return str(
        _(
            "Skipped by %(who)s on %(day)s: %(note)s",
            who=skip.by_name,
            day=minute(skip.skipped_at),
            note=skip.note,
        )
    )


def history(events: Sequence[Told]) -> list[Line]:
    """Who did what, in sentences."""
    return [Line(event.at, _sentence(event)) for event in events]


def _sentence(event: Told) -> str:
    # What was erased is missing from the details.
    erased = dict.fromkeys(("email", "before", "after"), _("(erased)"))
    known = {**erased, "who": event.who or _("The portal"), **event.details}
    if "step" in event.details:
        known["step"] = _(StepKind(event.details["step"]).label)
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
    "organization:member:confirm_automatically": N_(
        "%(email)s was confirmed automatically, in the browser of %(who)s."
    ),
    "organization:member:key_changed": N_(
        "%(who)s was kept from confirming %(email)s, whose key had changed."
    ),
    "organization:group:create": N_("%(who)s created the group %(name)s."),
    "organization:policy:update": N_("%(who)s changed a policy."),
    "organization:setup:skip": N_("%(who)s skipped the step “%(step)s”."),
    "organization:organization:hide": N_("%(who)s kept the client from service users."),
    "organization:organization:go_live": N_("%(who)s made the client live."),
    "organization:setup:take_up": N_("%(who)s opened the step “%(step)s” again."),
}
