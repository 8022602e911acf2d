"""`flask verify-log`: is any event log changed, cut or forged? Names the first bad row."""

import uuid

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.events import signing
from portal.events.verify import Finding, streams, verify_stream
from portal.extensions import db


@click.command("verify-log")
@click.option("--provider", type=click.UUID, help="The log of a provider and of its clients.")
@click.option("--organization", type=click.UUID, help="The log of one organization.")
@click.option("--all", "everything", is_flag=True, help="Every log.")
@click.option(
    "--key",
    "fingerprints",
    multiple=True,
    help="Believe only this checkpoint key; else those that this portal's secret opens.",
)
@with_appcontext
def verify_log(
    provider: uuid.UUID | None,
    organization: uuid.UUID | None,
    *,
    everything: bool,
    fingerprints: tuple[str, ...],
) -> None:
    """Check event logs; exit status 1 if one is not what was written."""
    if [bool(provider), bool(organization), everything].count(True) != 1:
        raise click.UsageError("Choose one of --provider, --organization and --all.")
    session = db.session()
    secret_keys = current_app.extensions["settings"].secret_keys
    pinned = {"".join(name.split()) for name in fingerprints}
    pinned = pinned or signing.own_keys(session, secret_keys)
    logs = list(streams(session, provider_id=provider, organization_id=organization))
    if not logs and not everything:
        raise click.UsageError("There is no such log.")
    bad = rows = 0
    for stream_id, kind in logs:
        finding = verify_stream(session, stream_id, kind, pinned)
        # What was read of one log is not needed for the next.
        session.rollback()
        bad, rows = bad + bool(finding.fault), rows + finding.rows
        if finding.fault or not everything:
            click.echo(_line(finding))
    click.echo(f"{len(logs)} logs, {rows} rows checked; {bad} bad.")
    click.echo(f"Checkpoint key: {signing.fingerprint(session) or 'none yet'}")
    if bad:
        raise SystemExit(1)


@click.command("rotate-log-key")
@with_appcontext
def rotate_log_key() -> None:
    """Make a new key that signs checkpoints; the old one endorses it."""
    made = signing.rotate(db.session(), current_app.extensions["settings"].secret_keys)
    db.session.commit()
    click.echo(f"Checkpoint key: {signing.in_groups(made.key_id)}")


def _line(finding: Finding) -> str:
    where = f"{finding.kind} {finding.stream_id}"
    if finding.fault:
        row = f", row {finding.seq}" if finding.seq is not None else ""
        return f"BAD  {where}{row}: {finding.fault}"
    counted = f"{finding.rows} rows, {finding.checkpoints} checkpoints, {finding.erased} erased"
    return f"GOOD {where}: {counted}"
