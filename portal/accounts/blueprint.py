"""The blueprint of everything that is about the person; view modules register on it."""

from flask import Blueprint

bp = Blueprint("accounts", __name__)
