"""A filled instance and a signed-in provider admin, without going through the sign-in page."""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from portal import create_app, migrate
from portal.accounts import sessions
from portal.cli.demo import make_demo
from portal.config import Settings
from portal.extensions import db
from portal.models import Account, Provider

SECRET = "bench-" * 8
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Instance:
    """Where the data is, and how to be its provider admin."""

    folder: Path
    app: Flask
    provider_id: uuid.UUID
    token: str
    cookie: str

    @property
    def environment(self) -> dict[str, str]:
        """What a server needs to serve this instance."""
        return {
            "PORTAL_INSTANCE": str(self.folder),
            "PORTAL_SECRET_KEY": SECRET,
            "ANCHOR_DATABASE": str(self.folder / "portal.db"),
        }


def settings(folder: Path) -> Settings:
    """An instance of its own in `folder`."""
    return Settings(
        instance=folder,
        database_url=f"sqlite:///{folder / 'portal.db'}",
        base_url="http://localhost:8000",
        secret_keys=(SECRET,),
        log_level="ERROR",
        testing=True,
    )


def make_instance(folder: Path, clients: int) -> Instance:
    """Fill `folder` with `clients` clients and sign the provider admin in."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(settings(folder))
    with app.app_context():
        migrate.upgrade(db.engine)
        make_demo(
            clients=clients, members=clients * 3, events=0, password="correct horse battery staple"
        )
        provider_id = db.session.scalars(select(Provider.id)).one()
        account_id = db.session.scalars(
            select(Account.id).where(Account.email == "admin@demo.example")
        ).one()
        token, _row = sessions.begin(
            db.session(), account_id, method="password", pending=False, browser="", source=""
        )
        db.session.commit()
        signer = app.session_interface.get_signing_serializer(app)
        # As after the first page: the form token is in it, so that no answer sets it anew.
        kept = {
            "_user_id": token,
            "_fresh": True,
            "csrf_token": hashlib.sha256(b"bench").hexdigest(),
        }
        cookie = f"portal={signer.dumps(kept)}"
        db.session.remove()
        db.engine.dispose()
    return Instance(folder, app, provider_id, token, cookie)
