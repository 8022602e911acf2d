"""Writes of a provider's brand: its colour and its logo."""

import uuid

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models import ProviderLogo
from portal.settings import queries
from portal.settings.pictures import Picture
from portal.settings.service import Changed, begin, tell, write


def save_accent(session: Session, actor: Actor, accent: str, *, seen: str) -> bool:
    """Store a checked colour; False where it is the present one.

    Raises `Changed` if the present one is not `seen`.
    """
    provider_id = begin(session, actor)
    before = str(queries.settings(session, provider_id).accent)
    if before != seen:
        raise Changed
    if before == accent:
        return False
    write(session, provider_id, {"accent": accent})
    tell(
        session, actor, "provider:brand:update", before={"accent": before}, after={"accent": accent}
    )
    return True


def save_logo(session: Session, actor: Actor, picture: Picture) -> None:
    """Show this picture from now on; the one before it is gone."""
    # Not by the clock, as other ids: the address is all that guards the picture.
    logo_id = uuid.uuid4()
    provider_id = begin(session, actor)
    session.add(
        ProviderLogo(
            provider_id=provider_id,
            id=logo_id,
            media_type=picture.media_type,
            content=picture.content,
            width=picture.width,
            height=picture.height,
        )
    )
    session.flush()
    _show(session, actor, provider_id, logo_id)


def remove_logo(session: Session, actor: Actor) -> bool:
    """Show the name alone; False where there is no logo."""
    provider_id = begin(session, actor)
    if queries.settings(session, provider_id).logo_id is None:
        return False
    _show(session, actor, provider_id, None)
    return True


def _show(
    session: Session, actor: Actor, provider_id: uuid.UUID, logo_id: uuid.UUID | None
) -> None:
    before = queries.settings(session, provider_id).logo_id
    write(session, provider_id, {"logo_id": logo_id})
    gone = delete(ProviderLogo).where(ProviderLogo.provider_id == provider_id)
    if logo_id is not None:
        gone = gone.where(ProviderLogo.id != logo_id)
    session.execute(gone)
    tell(
        session,
        actor,
        "provider:brand:update",
        before={"logo": str(before or "")},
        after={"logo": str(logo_id or "")},
    )
