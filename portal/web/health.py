"""`/healthz`: the process answers. `/readyz`: the database answers and its schema is ours."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.extensions import db
from portal.migrate import current_revision, newest_revision
from portal.web.access import public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def healthz() -> Response:
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """200 when requests can be served, 503 with the reason otherwise."""
    try:
        db.session.execute(text("select 1"))
        revision = current_revision(db.session.connection())
    except SQLAlchemyError:
        return jsonify(status="unavailable", reason="database"), 503
    if revision != newest_revision():
        return jsonify(status="unavailable", reason="migrations"), 503
    return jsonify(status="ok"), 200
