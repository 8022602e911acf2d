"""The blueprint that the pages of domains stand on."""

from flask import Blueprint

bp = Blueprint("domains", __name__)
ALL = "/organizations/<uuid:organization_id>/domains"
ONE = f"{ALL}/<uuid:domain_id>"
