"""The blueprint of an organization's settings; view modules register on it."""

from flask import Blueprint

bp = Blueprint("console", __name__)
