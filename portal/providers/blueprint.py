"""The blueprint of a provider's own pages; view modules register on it."""

from flask import Blueprint

bp = Blueprint("providers", __name__)
