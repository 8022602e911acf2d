"""The blueprint that the pages of a client's configuration stand on."""

from flask import Blueprint

bp = Blueprint("configuration", __name__)
PAGE = "/organizations/<uuid:organization_id>/settings/configuration"
