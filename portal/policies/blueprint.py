"""The blueprint that the pages of policies stand on."""

from flask import Blueprint

bp = Blueprint("policies", __name__)
ALL = "/organizations/<uuid:organization_id>/policies"
ONE = f"{ALL}/<kind>"
