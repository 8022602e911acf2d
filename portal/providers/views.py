"""Pages of this area."""

from flask import Blueprint

bp = Blueprint("providers", __name__)
