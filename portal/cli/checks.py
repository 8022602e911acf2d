"""What `flask doctor` looks at. Each check yields findings; none changes anything."""

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum

import dns.exception
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.billing import load_prices
from portal.cli.recount import recount
from portal.config import Settings
from portal.crypto.sealing import Sealer
from portal.database import reading
from portal.domain.pricing import PriceListError
from portal.domains.lookup import NoResolver, Resolver
from portal.events import signing
from portal.mail.delivery import NotDelivered, try_server
from portal.migrate import current_revision, newest_revision
from portal.models import Account, Event, Outbox, utc_now
from portal.web.static_files import FOLDER

LATE = dt.timedelta(minutes=5)
CLOCKS_MAY_DIFFER = dt.timedelta(seconds=30)


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    level: Level
    text: str


Check = Callable[[Settings, Engine], Iterator[Finding]]


def ok(text: str) -> Finding:
    return Finding(Level.OK, text)


def warning(text: str) -> Finding:
    return Finding(Level.WARNING, text)


def failure(text: str) -> Finding:
    return Finding(Level.FAILURE, text)


def examine(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """All checks in order; those that need tables are left out where there are none."""
    yield from check_settings(settings, engine)
    yield from check_mail_server(settings, engine)
    yield from check_name_servers(settings, engine)
    broken = False
    for found in check_database(settings, engine):
        broken = broken or found.level is Level.FAILURE
        yield found
    if not broken:
        for check in (
            check_numbers,
            check_mails,
            check_clock,
            check_log_key,
            check_seeds,
            check_demo,
        ):
            yield from check(settings, engine)


def check_settings(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """What the environment says, beyond what made the portal refuse to start."""
    yield ok(f"Links in mails begin with {settings.base_url}.")
    there = next(path for path in (settings.instance, *settings.instance.parents) if path.exists())
    if not os.access(there, os.W_OK):
        yield failure(f"The folder {settings.instance} cannot be written.")
    key_file = settings.instance / "secret.key"
    if key_file.exists() and key_file.stat().st_mode & 0o077:
        yield failure(f"Others can read {key_file}: chmod 600 it, then change the key.")
    if not parseaddr(settings.mail_from)[1]:
        yield failure("PORTAL_MAIL_FROM holds no address.")
    try:
        prices = load_prices(settings.prices)
    except PriceListError as error:
        yield failure(f"The price list cannot be used: {error}.")
    else:
        yield ok(f"Price list {prices.version} in {prices.currency} is in use.")


def check_mail_server(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Whether the mail server takes our sign-in; nothing is sent."""
    if settings.smtp_url is None:
        place = f"PORTAL_SMTP_URL is not set: mails become files in {settings.instance / 'mail'}."
        yield ok(place) if settings.is_local else warning(place)
        return
    try:
        try_server(settings)
    except NotDelivered as error:
        yield failure(f"Mail server: {error.answer}")
    else:
        yield ok("The mail server answers.")


def check_name_servers(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Whether domains can be looked up; without that nothing else fails."""
    try:
        Resolver.of(settings).try_it()
    except (NoResolver, dns.exception.DNSException, OSError) as error:
        told = f"Domains cannot be verified, no name server answers ({error}): PORTAL_DNS_SERVERS."
        yield warning(" ".join(told.split()))
    else:
        yield ok("The name servers answer.")


def check_database(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Reachable, sound, and at the newest migration."""
    try:
        with reading(), engine.connect() as connection:
            version = connection.dialect.server_version_info or ()
            name = f"{connection.dialect.name} {'.'.join(map(str, version))}"
            revision, newest = current_revision(connection), newest_revision()
            if connection.dialect.name == "sqlite":
                yield from _sound(str(connection.execute(text("PRAGMA quick_check(1)")).scalar()))
    except DBAPIError as error:
        yield failure(f"The database cannot be reached: {error.orig}".strip())
        return
    yield ok(f"The database answers ({name}).")
    if revision != newest:
        have = revision or "nothing"
        yield failure(f"The database has migration {have}, this version needs {newest}: bin/run.")
    else:
        yield ok(f"The database is at migration {newest}.")


def _sound(answer: str) -> Iterator[Finding]:
    if answer != "ok":
        yield failure(f"The database file is damaged: {answer}.")


def check_numbers(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Every stored number, counted again."""
    with reading(), Session(engine) as session:
        for what, wrong in recount(session):
            if wrong:
                yield failure(f"Recounted {what}; wrong are {'; '.join(wrong)}.")
            else:
                yield ok(f"Recounted {what}.")


def check_mails(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Mails that wait too long, and those of the last day that failed."""
    now = utc_now()
    with reading(), Session(engine) as session:
        late = _count(session, Outbox.state == "queued", Outbox.run_at < now - LATE)
        failed = _count(
            session, Outbox.state == "failed", Outbox.finished_at > now - dt.timedelta(days=1)
        )
    if late:
        yield failure(f"{late} jobs are due and wait: does the worker run (flask worker)?")
    if failed:
        yield warning(f"{failed} mails of the last day could not be delivered.")
    if not late and not failed:
        yield ok("No mail waits longer than it should.")


def _count(session: Session, *conditions: object) -> int:
    found = select(func.count()).select_from(Outbox).where(*conditions)  # type: ignore[arg-type]
    return session.scalar(found) or 0


def check_clock(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """This machine's clock against the database's, and against what was recorded last."""
    with reading(), Session(engine) as session:
        there = _clock_of(session)
        newest = session.scalar(select(func.max(Event.at)))
    apart = abs(utc_now() - there)
    if apart > CLOCKS_MAY_DIFFER:
        yield failure(
            f"This clock and the database's are {apart.total_seconds():.0f} s apart; codes of "
            "authenticator apps and the ends of links go wrong."
        )
    elif newest and newest > utc_now() + CLOCKS_MAY_DIFFER:
        yield failure(f"An event is dated {newest:%Y-%m-%d %H:%M:%S} UTC, which is yet to come.")
    else:
        yield ok("The clocks agree.")


def _clock_of(session: Session) -> dt.datetime:
    if session.get_bind().dialect.name == "postgresql":
        found: dt.datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found.astimezone(dt.UTC)
    seconds = session.execute(text("SELECT unixepoch('subsec')")).scalar()
    if seconds is None:  # before SQLite 3.42
        seconds = session.execute(text("SELECT unixepoch()")).scalar_one()
    return dt.datetime.fromtimestamp(float(seconds), dt.UTC)


def check_log_key(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """The key that signs the event logs, and whether the portal can still use it."""
    with reading(), Session(engine) as session:
        fingerprint = signing.fingerprint(session)
        own = signing.own_keys(session, settings.secret_keys)
        lost = [key.id for key in signing.keys(session) if key.id not in own]
    if lost:
        yield failure(
            f"{len(lost)} keys of the event logs were sealed with another PORTAL_SECRET_KEY. Add "
            "that one to the list again, or make a new key: flask rotate-log-key."
        )
    elif fingerprint:
        yield ok(f"The event logs are signed by the key {fingerprint}.")
    else:
        yield ok("The event logs are not signed yet; the worker signs them every hour.")


def check_seeds(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Second factors, and whether an older key of the portal is still needed for them."""
    sealer = Sealer(settings.secret_keys, "totp")
    with reading(), Session(engine) as session:
        found = select(Account.totp_secret).where(Account.totp_secret.is_not(None))
        old = [seed for seed in session.scalars(found) if seed and not sealer.is_newest(seed)]
    lost = sum(sealer.open(seed) is None for seed in old)
    if lost:
        yield failure(
            f"{lost} second factors were sealed with a PORTAL_SECRET_KEY that is not in the list. "
            "Add that one again: until then these people need a recovery code."
        )
    if len(old) > lost:
        yield ok(
            f"{len(old) - lost} second factors are sealed with an older PORTAL_SECRET_KEY. Each is "
            "sealed anew when its owner next uses it; keep that key until none is left."
        )
    elif not lost:
        yield ok("All second factors are sealed with the first PORTAL_SECRET_KEY.")


def check_demo(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Demo accounts have a printed password: nobody else may reach them."""
    with reading(), Session(engine) as session:
        there = session.execute(select(Account.id).where(Account.is_demo).limit(1)).first()
    if there and not settings.is_local:
        yield failure(
            f"Demo accounts exist, and {settings.base_url} is not this machine alone: "
            "begin with an empty database."
        )
    elif there:
        yield ok("Demo accounts exist; only this machine reaches them.")


def script_hashes() -> Iterator[tuple[str, str]]:
    """(SHA-256, path) of every script that browsers get, to compare with a release's."""
    for file in sorted(FOLDER.rglob("*.js")):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        yield digest, f"static/{file.relative_to(FOLDER).as_posix()}"
