"""The outbox's mail jobs: the message of a topic, composed and delivered."""

from collections.abc import Callable, Mapping
from functools import partial

from flask import Flask
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.mail.brand import MailBrand, brand_of
from portal.mail.delivery import NotDelivered, deliver
from portal.mail.letters import BadAddress, compose
from portal.mail.messages import MESSAGES, Letter, Office, Outdated
from portal.outbox.jobs import Job
from portal.outbox.worker import Again, Handler, Never


def mail_handlers(app: Flask) -> Mapping[str, Handler]:
    """A handler for each message there is."""
    settings: Settings = app.extensions["settings"]
    office = Office(settings.secret_keys, partial(absolute_url, app, settings))
    return {topic: partial(_prepare, settings, office) for topic in MESSAGES}


def absolute_url(app: Flask, settings: Settings, endpoint: str, **values: object) -> str:
    """An address of this portal, of the configured base URL alone: no request is asked."""
    path: str = app.url_map.bind("").build(endpoint, values)
    return settings.base_url + path


def _prepare(settings: Settings, office: Office, session: Session, job: Job) -> Callable[[], str]:
    try:
        letter = MESSAGES[job.topic](session, office, job.payload)
    except Outdated as error:
        raise Never(str(error), dropped=True) from None
    return partial(_send, settings, job, letter, brand_of(session, office, job.payload))


def _send(settings: Settings, job: Job, letter: Letter, brand: MailBrand) -> str:
    try:
        return deliver(settings, compose(letter, settings, job.id, brand))
    except BadAddress as error:
        raise Never(str(error)) from None
    except NotDelivered as error:
        if error.final:
            raise Never(error.answer) from None
        raise Again(error.answer) from None
