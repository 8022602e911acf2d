"""The blueprint that the pages of account recovery stand on."""

from flask import Blueprint

bp = Blueprint("recovery", __name__)
HERE = "/organizations/<uuid:organization_id>"
OWN = f"{HERE}/account-recovery"
ALL = f"{HERE}/recoveries"
ONE = f"{ALL}/<uuid:recovery_id>"
