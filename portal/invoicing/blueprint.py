"""The blueprint of the area."""

from flask import Blueprint

bp = Blueprint("invoicing", __name__)
