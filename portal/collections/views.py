"""Pages of this area."""

from flask import Blueprint

bp = Blueprint("collections", __name__)
