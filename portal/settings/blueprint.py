"""The blueprint of the provider's settings; view modules register on it."""

from flask import Blueprint

bp = Blueprint("settings", __name__)
