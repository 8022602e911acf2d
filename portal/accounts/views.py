"""Pages of this area."""

from flask import Blueprint

bp = Blueprint("accounts", __name__)
