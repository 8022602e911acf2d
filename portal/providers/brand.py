"""What a provider's brand adds to the frame of a page."""

import uuid
from typing import Any

from portal.web.links import link
from portal.web.shell import Brand


def brand_of(
    provider_id: uuid.UUID, name: str, accent: str, logo_id: uuid.UUID | None
) -> Brand | None:
    """The addresses of style sheet and logo; None for a provider without either."""
    if not accent and logo_id is None:
        return None
    return Brand(
        name=name,
        stylesheet=link("settings.style", owner=provider_id, version=version_of(accent))
        if accent
        else None,
        logo=link("settings.logo", owner=provider_id, logo=logo_id) if logo_id else None,
    )


def brand_at(place: Any) -> Brand | None:
    """The brand of the provider that a place belongs to, if it has one."""
    if place.provider_id is None:
        return None
    return brand_of(place.provider_id, place.provider_name, place.accent, place.logo_id)


def version_of(accent: str) -> str:
    """What the address of a colour's style sheet ends in; another colour has another address."""
    return accent.removeprefix("#")
