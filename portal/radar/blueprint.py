"""The blueprint of the expiry radar; view modules register on it."""

from flask import Blueprint

bp = Blueprint("radar", __name__)
