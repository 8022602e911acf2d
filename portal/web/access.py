"""Each view says who may call it: exactly one of `@requires`, `@signed_in`, `@public`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import STRONG_PERMISSIONS, Actor, Permission
from portal.domain.plans import Feature
from portal.web import fragments
from portal.web.answers import json_errors, wants_json

View = Callable[..., Any]
# All that is open to whoever must first choose another master password: somebody else knows it,
# or it is not what an organization asks for.
WITH_TEMPORARY_PASSWORD = frozenset(
    {
        "accounts.change_password",
        "accounts.change_password_submit",
        "accounts.declare_password",
        "accounts.vault",
    }
)


@dataclass(frozen=True)
class Access:
    """What a view asks for; `tests/test_architecture.py` reads it from every view."""

    kind: str
    permission: Permission | None = None


def public(view: View) -> View:
    """Anybody may call it, signed in or not."""
    view.access = Access("public")  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Anybody who has signed in fully, a second factor included where one is set up."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return refuse_visitor() or view(*args, **kwargs)

    guarded.access = Access("signed_in")  # type: ignore[attr-defined]
    return guarded


def requires(permission: Permission, *, feature: Feature | None = None) -> Callable[[View], View]:
    """The tenant's actor, found by its context before the view, must hold the permission.

    With `feature` the organization's plan must include it, else there is no such page: 404.

    No actor means that the person has nothing here: 404, as for an id that does not exist.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return _refusal(permission, feature) or view(*args, **kwargs)

        guarded.access = Access("requires", permission)  # type: ignore[attr-defined]
        return guarded

    return decorate


def refuse_visitor() -> AnyResponse | None:
    """The answer for somebody who is not (fully) signed in; None for everybody else."""
    if not current_user.is_authenticated:
        return sign_in_first()
    if current_user.pending:
        return go(url_for("accounts.second_factor", next=here()))
    owes = current_user.has_temporary_password or current_user.password_due
    if not owes or request.endpoint in WITH_TEMPORARY_PASSWORD:
        return None
    if current_user.has_temporary_password or current_user.is_unlocked:
        return go(url_for("accounts.change_password"))
    # Nobody has looked at it yet, or the page that had it is gone: typed once more, it is checked.
    return None if request.endpoint == "accounts.unlock" else go(_unlock_first())


def _unlock_first() -> str:
    return url_for("accounts.unlock", next=here())


def _refusal(permission: Permission, feature: Feature | None) -> AnyResponse | None:
    refused = refuse_visitor()
    if refused:
        return refused
    found: Actor | None = g.get("actor")
    if found is None or (feature and not g.plan.has(feature)):
        abort(404)
    if not found.can(permission):
        abort(403)
    if needs_step_up(found, permission):
        return go(url_for("accounts.step_up", next=here()))
    return None


def needs_step_up(found: Actor, permission: Permission) -> bool:
    """A code by mail alone never reaches provider administration or an owner's strong pages.

    A provider may ask for a second factor of all its people, and an organization of its members,
    whatever their way in. The page of
    whoever waits to be confirmed shows nothing that would need one.
    """
    if current_user.second_factor or g.get("waits", False):
        return False
    provider_side = found.via_provider or found.organization_id is None
    if g.get("second_factor_required", provider_side):
        return True
    weak = current_user.method == "code"
    return weak and (provider_side or permission in STRONG_PERMISSIONS)


def actor() -> Actor:
    """Who acts in this tenant; only inside views with `@requires`."""
    found: Actor = g.actor
    return found


def can(permission: str) -> bool:
    """What templates ask: the same question the route asked. Unknown words are an error."""
    found: Actor | None = g.get("actor")
    return found is not None and found.can(Permission(permission))


def here() -> str:
    """The address to come back to: only a page that can be asked for again."""
    if request.method == "GET" and not fragments.is_htmx():
        return request.full_path.rstrip("?")
    # A fragment is no place to come back to; the page that asked for it is.
    page = urlsplit(request.headers.get("HX-Current-URL", "")) if fragments.is_htmx() else None
    if page is None or not page.path.startswith("/"):
        return ""
    return f"{page.path}?{page.query}" if page.query else page.path


def sign_in_first() -> AnyResponse:
    """Send a visitor to sign in, and back here afterwards."""
    return go(url_for("accounts.sign_in", next=here() or None), htmx_status=401)


def go(url: str, htmx_status: int = 200) -> AnyResponse:
    """Send whoever asks to `url` first: browsers by 303, htmx by its header, modules by 401."""
    if wants_json():
        return json_errors({}, 401, next=url)
    if fragments.is_htmx():
        return fragments.elsewhere(url, htmx_status)
    return redirect(url, 303)


__all__ = ["Access", "Response", "actor", "can", "go", "public", "requires", "signed_in"]
