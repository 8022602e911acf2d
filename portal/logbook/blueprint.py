"""The blueprint of the event logs, and the three logs that its pages show."""

import uuid

from flask import Blueprint, url_for

from portal.logbook.page import IN_ORGANIZATION, IN_PROVIDER
from portal.logbook.queries import Scope
from portal.logbook.reading import Log
from portal.web.access import actor

bp = Blueprint("logbook", __name__)


def provider_log(provider_id: uuid.UUID) -> Log:
    """What was done at the provider, and by its people inside clients."""
    return Log(
        Scope(provider_id),
        IN_PROVIDER,
        url_for("logbook.provider_events", provider_id=provider_id),
        url_for("logbook.provider_events_csv", provider_id=provider_id),
        url_for("logbook.provider_events_jsonl", provider_id=provider_id),
        url_for("logbook.client_events", provider_id=provider_id),
        provider_id,
    )


def clients_log(provider_id: uuid.UUID) -> Log:
    """What was done in all clients while they were the provider's."""
    return Log(
        Scope(provider_id, clients=True, account_id=actor().account_id),
        IN_ORGANIZATION,
        url_for("logbook.client_events", provider_id=provider_id),
        url_for("logbook.client_events_csv", provider_id=provider_id),
        url_for("logbook.client_events_jsonl", provider_id=provider_id),
        url_for("logbook.client_events", provider_id=provider_id),
        provider_id,
    )


def organization_log(organization_id: uuid.UUID) -> Log:
    """What was done in an organization."""
    return Log(
        Scope(organization_id),
        IN_ORGANIZATION,
        url_for("logbook.organization_events", organization_id=organization_id),
        url_for("logbook.organization_events_csv", organization_id=organization_id),
        url_for("logbook.organization_events_jsonl", organization_id=organization_id),
    )
