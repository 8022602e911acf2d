"""The blueprint that the pages of this area stand on."""

from flask import Blueprint

bp = Blueprint("organizations", __name__)
