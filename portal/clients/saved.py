"""Writes of saved views. A view is its owner's; a shared one may also be changed by an admin."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.clients import mark_queries
from portal.clients.tagging import provider_of, streams
from portal.domain.access import Actor, Permission
from portal.domain.errors import N_, refuse
from portal.domain.names import name_ci
from portal.models import Provider, SavedView, new_id

MOST = 50
TAKEN = N_("You have a view with this name already.")
TOO_MANY = N_("You have %(limit)s views, and there is room for no more. Delete one first.")


def may_change(actor: Actor, view: Any) -> bool:
    """Whether the actor may rename or delete `view`, a row of `mark_queries.views`."""
    if not actor.can(Permission.CLIENTS_SAVE_VIEWS):
        return False
    mine = view.account_id == actor.account_id
    return bool(mine or (view.is_shared and actor.can(Permission.CLIENTS_MANAGE)))


def create(session: Session, actor: Actor, *, name: str, query: str, is_shared: bool) -> None:
    """Keep the normalised `query` under a checked `name`."""
    _check_name(session, actor, actor.account_id, name)
    session.add(
        SavedView(
            provider_id=provider_of(actor),
            id=new_id(),
            account_id=actor.account_id,
            name=name,
            name_ci=name_ci(name),
            query=query,
            is_shared=is_shared,
        )
    )
    session.flush()
    _record(session, actor, "create", name=name, query=query, shared=is_shared)


def change(session: Session, actor: Actor, view: Any, *, name: str, is_shared: bool) -> bool:
    """Another name, or shared or not; False if nothing differs."""
    before, after = _told(view.name, view.is_shared), _told(name, is_shared)
    if before == after:
        return False
    _check_name(session, actor, view.account_id, name, but=view.id)
    session.execute(
        update(SavedView)
        .where(SavedView.provider_id == actor.provider_id, SavedView.id == view.id)
        .values(name=name, name_ci=name_ci(name), is_shared=is_shared)
    )
    _record(session, actor, "update", before=before, after=after)
    return True


def remove(session: Session, actor: Actor, view: Any) -> None:
    """Forget the view; nothing else goes with it."""
    session.execute(
        delete(SavedView).where(SavedView.provider_id == actor.provider_id, SavedView.id == view.id)
    )
    _record(session, actor, "delete", name=view.name, query=view.query, shared=view.is_shared)


def _told(name: str, is_shared: bool) -> dict[str, Any]:  # noqa: FBT001
    return {"name": name, "shared": is_shared}


def _check_name(
    session: Session, actor: Actor, account_id: Any, name: str, *, but: Any = None
) -> None:
    mine = select(Provider.id).where(Provider.id == actor.provider_id)
    session.execute(mine.with_for_update()).all()
    views = mark_queries.views(session, provider_of(actor), account_id)
    own = [view for view in views if view.account_id == account_id and view.id != but]
    if any(name_ci(view.name) == name_ci(name) for view in own):
        raise refuse(TAKEN, field="name")
    if len(own) >= MOST:
        raise refuse(TOO_MANY, limit=MOST)


def _record(session: Session, actor: Actor, action: str, **details: Any) -> None:
    events.record(session, actor, f"provider:view:{action}", streams=streams(actor), **details)
