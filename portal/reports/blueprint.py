"""The blueprint that the reports stand on."""

from flask import Blueprint

bp = Blueprint("reports", __name__)
ALL = "/organizations/<uuid:organization_id>/reports"
