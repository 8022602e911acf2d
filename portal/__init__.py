"""The Provider Portal."""

from flask import Flask

from portal.accounts import views as accounts
from portal.accounts.notices import NoticeStore
from portal.accounts.visits import init_visits
from portal.api import views as api
from portal.baselines import views as baselines
from portal.cli import register as register_commands
from portal.clients import views as clients
from portal.collections import views as collections
from portal.config import Settings
from portal.configuration import views as configuration
from portal.console import views as console
from portal.database import init_database
from portal.domains import views as domains
from portal.extensions import compress, csrf
from portal.grants import views as grants
from portal.groups import views as groups
from portal.help import views as help_pages
from portal.invoicing import views as invoicing
from portal.logbook import views as logbook
from portal.members import views as members
from portal.organizations import views as organizations
from portal.organizations.context import init_organization_context
from portal.overview import views as overview
from portal.policies import views as policies
from portal.providers import views as providers
from portal.providers.context import init_provider_context
from portal.radar import views as radar
from portal.ratelimit import init_limits
from portal.recovery import views as recovery
from portal.reports import views as reports
from portal.settings import views as settings_pages
from portal.web import health, notices
from portal.web.errors import init_errors
from portal.web.frame import init_frame
from portal.web.headers import init_headers
from portal.web.languages import init_languages
from portal.web.logs import init_logs
from portal.web.requests import init_requests
from portal.web.session import init_session
from portal.web.static_files import init_static
from portal.web.templates import init_templates

AREAS = (
    accounts,
    providers,
    organizations,
    logbook,
    radar,
    grants,
    members,
    groups,
    collections,
    policies,
    domains,
    recovery,
    reports,
    settings_pages,
    configuration,
    baselines,
    clients,
    invoicing,
    console,
    overview,
    api,
    help_pages,
    health,
)


def create_app(settings: Settings) -> Flask:
    """The app, from one settings object; reads like a table of contents."""
    app = Flask(__name__, template_folder="../templates", static_folder=None)
    app.extensions["settings"] = settings
    init_templates(app)
    init_logs(app, settings.log_level)
    init_session(app, settings)
    init_requests(app)
    init_database(app, settings)
    init_limits(app)
    init_visits(app)
    init_languages(app)
    init_provider_context(app)
    init_organization_context(app)
    csrf.init_app(app)
    compress.init_app(app)
    init_headers(app, https=settings.https)
    init_static(app)
    init_frame(app)
    init_errors(app)
    notices.STORE[:] = [NoticeStore()]
    logbook.init_logbook()
    policies.init_policies()
    recovery.init_recovery()
    for area in AREAS:
        app.register_blueprint(area.bp)
    register_commands(app)
    return app
