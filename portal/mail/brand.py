"""The brand that a mail wears: that of the provider in whose name it goes out."""

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.domain.brand import PORTAL, Palette, palette
from portal.mail import queries
from portal.mail.shapes import Office, Payload


@dataclass(frozen=True)
class MailBrand:
    """Colours of links and buttons; `logo` is an absolute address or empty, `name` its text."""

    colours: Palette = PORTAL
    logo: str = ""
    name: str = ""


PLAIN = MailBrand()


def brand_of(session: Session, office: Office, payload: Payload) -> MailBrand:
    """By the ids of an outbox row: the provider's, else that of the organization's provider."""
    provider = _id(payload, "provider")
    organization = _id(payload, "organization")
    if provider is None and organization is None:
        return PLAIN
    found = queries.brand(session, provider, organization)
    if found is None:
        return PLAIN
    logo = ""
    if found.logo_id is not None:
        logo = office.url_for("settings.logo", owner=found.id, logo=found.logo_id)
    return MailBrand(palette(found.accent), logo, found.name)


def _id(payload: Payload, name: str) -> uuid.UUID | None:
    value = payload.get(name)
    return uuid.UUID(value) if value else None
