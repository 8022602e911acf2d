"""Who may import whom, and who may call what."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.support.project import ROOT, read

# A module of this kind imports none of these, nor anything below them.
RULES = [
    ("domain/*.py", "flask wtforms sqlalchemy portal.models portal.web portal.extensions"),
    ("models/*.py", "flask wtforms portal.web portal.extensions"),
    ("*/queries.py", "flask wtforms portal.web portal.extensions"),
    ("*/service.py", "flask wtforms portal.web portal.extensions"),
    ("*/forms.py", "sqlalchemy portal.models portal.extensions"),
    ("*/*views.py", "sqlalchemy htmx_flask portal.models"),
    ("web/*.py", "portal.accounts portal.clients portal.providers portal.organizations"),
]
CONTRACTS = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
# From the first to the last: earlier areas know nothing of later ones.
AREAS = [
    layer.strip("()")
    for contract in CONTRACTS
    if contract["id"] == "areas"
    for layer in reversed(contract["layers"])
]
# The one module that speaks htmx, and where the extension is made.
HTMX = {"web/fragments.py", "web/requests.py", "extensions.py"}
# Everybody may call these; a new one is a decision.
PUBLIC = {
    "accounts.cancel_address",
    "accounts.cancel_address_submit",
    "accounts.change_language",
    "accounts.confirm_address",
    "accounts.confirm_address_submit",
    "accounts.enter_code",
    "accounts.second_factor",
    "accounts.send_code",
    "accounts.sign_in",
    "accounts.sign_in_parameters",
    "accounts.sign_in_submit",
    "accounts.sign_out",
    "accounts.sign_out_everywhere",
    "api.collection_access",
    "api.collections",
    "api.events",
    "api.group_members",
    "api.groups",
    "api.member_access",
    "api.members",
    "api.organization",
    "favicon",
    "health.healthz",
    "health.readyz",
    "help.page",
    "help.picture",
    "members.accept",
    "members.ask",
    "members.asked",
    "members.invitation",
    "members.join",
    "members.switch",
    "radar.feed",
    "radar.leave",
    "radar.leave_submit",
    "recovery.stop_by_mail",
    "recovery.stop_by_mail_submit",
    "settings.logo",
    "settings.style",
    "static",
}


def imports(path):
    """Every module a file imports, however deep in it; names imported from a package too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name, packages):
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def offences(where, banned):
    return sorted(
        {
            f"{path.relative_to(ROOT)} imports {name}"
            for path in (ROOT / "portal").glob(where)
            for name in imports(path)
            if is_in(name, banned)
        }
    )


@pytest.mark.parametrize(("where", "banned"), RULES)
def test_imports_point_inwards(where, banned):
    assert list((ROOT / "portal").glob(where)), f"no file is called {where} any more"
    assert offences(where, banned.split()) == []


@pytest.mark.parametrize("area", AREAS)
def test_an_area_imports_only_areas_before_it(area):
    later = [f"portal.{name}" for name in AREAS[AREAS.index(area) + 1 :]]
    assert offences(f"{area}/**/*.py", later) == []


def test_no_area_imports_the_views_of_another():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / "portal").glob("*/**/*.py")
        for name in imports(path)
        if name.startswith("portal.") and name.split(".")[2:3] == ["views"]
        # An area with many views has more than one module of them, and one blueprint.
        if name.split(".")[1] != path.relative_to(ROOT / "portal").parts[0]
    ]
    assert wrong == []


def test_one_module_speaks_htmx():
    folder = ROOT / "portal"
    speakers = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if any(is_in(name, ["htmx_flask"]) for name in imports(path))
        or any(f'"HX-{word}' in path.read_text() for word in ("Re", "Tri", "Push", "Loc"))
    }
    assert speakers <= HTMX


def test_every_view_states_who_may_call_it(routes):
    assert [rule.endpoint for rule, view in routes if not hasattr(view, "access")] == []


def test_what_everybody_may_call_is_listed(routes):
    public = {rule.endpoint for rule, view in routes if view.access.kind == "public"}
    assert public == PUBLIC


def test_a_view_in_a_tenants_path_names_a_permission(routes):
    """Whoever reaches a tenant's address has a place there, and the right to do this."""
    tenant = {"provider_id", "organization_id"}
    bare = [
        rule.rule
        for rule, view in routes
        if tenant & rule.arguments and view.access.permission is None
    ]
    assert bare == []


@pytest.fixture
def routes(databases):
    app = databases.app("sqlite", "rolled-back")
    return [(rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]


def test_the_rules_would_notice(tmp_path):
    module = tmp_path / "views.py"
    module.write_text("import sqlalchemy.orm\nfrom portal import models\n")
    assert {name for name in imports(Path(module)) if is_in(name, RULES[5][1].split())} == {
        "sqlalchemy.orm",
        "portal.models",
    }
