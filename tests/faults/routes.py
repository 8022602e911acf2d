"""Every address of the portal, what may be asked of it, and by whom.

The list is kept by hand and apart from the code: a view that is added without a line here, or
that asks for another right than its line says, fails the tests beside it.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from tests.support.tenants import Tenant

PUBLIC, SIGNED_IN = "public", "signed_in"
ACCESS = {
    "accounts.account_keys": SIGNED_IN,
    "accounts.cancel_address": PUBLIC,
    "accounts.cancel_address_submit": PUBLIC,
    "accounts.change_address": SIGNED_IN,
    "accounts.change_address_submit": SIGNED_IN,
    "accounts.change_language": PUBLIC,
    "accounts.change_password": SIGNED_IN,
    "accounts.change_password_submit": SIGNED_IN,
    "accounts.confirm_address": PUBLIC,
    "accounts.confirm_address_submit": PUBLIC,
    "accounts.devices": SIGNED_IN,
    "accounts.enter_code": PUBLIC,
    "accounts.home": SIGNED_IN,
    "accounts.lock": SIGNED_IN,
    "accounts.profile": SIGNED_IN,
    "accounts.reauthenticate": SIGNED_IN,
    "accounts.reauthenticate_by_app": SIGNED_IN,
    "accounts.reauthenticate_by_code": SIGNED_IN,
    "accounts.reauthenticate_by_password": SIGNED_IN,
    "accounts.reauthenticate_send_code": SIGNED_IN,
    "accounts.recovery_codes": SIGNED_IN,
    "accounts.second_factor": PUBLIC,
    "accounts.second_factor_off": SIGNED_IN,
    "accounts.send_code": PUBLIC,
    "accounts.set_up_second_factor": SIGNED_IN,
    "accounts.sign_in": PUBLIC,
    "accounts.sign_in_parameters": PUBLIC,
    "accounts.sign_in_submit": PUBLIC,
    "accounts.sign_out": PUBLIC,
    "accounts.sign_out_device": SIGNED_IN,
    "accounts.sign_out_everywhere": PUBLIC,
    "accounts.sign_out_others": SIGNED_IN,
    "accounts.step_up": SIGNED_IN,
    "accounts.unlock": SIGNED_IN,
    "accounts.vault": SIGNED_IN,
    "clients.annotate": "clients.annotate",
    "clients.billing": "clients.manage",
    "clients.change": "clients.annotate",
    "clients.prepare_change": "clients.annotate",
    "clients.start_change": "clients.annotate",
    "clients.undo_change": "clients.annotate",
    "clients.work_change": "clients.annotate",
    "clients.changes": "clients.annotate",
    "clients.check_field": "clients.create",
    "clients.create": "clients.create",
    "clients.create_tag": "clients.annotate",
    "clients.create_view": "clients.views",
    "clients.delete_tag": "clients.annotate",
    "clients.delete_tag_submit": "clients.annotate",
    "clients.delete_view": "clients.views",
    "clients.delete_view_submit": "clients.views",
    "clients.download": "clients.read",
    "clients.finish_keys": "provider.keys",
    "clients.delete_import": "clients.create",
    "clients.delete_import_submit": "clients.create",
    "clients.import_clients": "clients.create",
    "clients.import_left": "clients.create",
    "clients.import_line": "clients.create",
    "clients.import_list": "clients.create",
    "clients.import_template": "clients.create",
    "clients.read_import": "clients.create",
    "clients.save_import_line": "clients.create",
    "clients.skip_import_line": "clients.create",
    "clients.start_import": "clients.create",
    "clients.take_import_line_back": "clients.create",
    "clients.work_import": "clients.create",
    "clients.index": "clients.read",
    "clients.manage": "clients.read",
    "clients.new": "clients.create",
    "clients.new_tag": "clients.annotate",
    "clients.new_view": "clients.views",
    "clients.preview_subscription": "clients.subscribe",
    "clients.rename": "clients.rename",
    "clients.save_annotation": "clients.annotate",
    "clients.save_billing": "clients.manage",
    "clients.save_keys": "provider.keys",
    "clients.save_name": "clients.rename",
    "clients.save_subscription": "clients.subscribe",
    "clients.save_tag": "clients.annotate",
    "clients.save_view": "clients.views",
    "clients.stuck_choose": "clients.read",
    "clients.stuck_confirm": "members.confirm",
    "clients.stuck_confirm_one": "members.confirm",
    "clients.stuck_csv": "clients.read",
    "clients.stuck_people": "clients.read",
    "clients.stuck_resend": "members.invite",
    "clients.stuck_resend_submit": "members.invite",
    "clients.subscription": "clients.subscribe",
    "clients.tag": "clients.annotate",
    "clients.tags": "clients.annotate",
    "clients.update_summary": "clients.create",
    "clients.view": "clients.views",
    "clients.views": "clients.read",
    "clients.delete": "clients.delete",
    "clients.delete_submit": "clients.delete",
    "clients.keep": "clients.delete",
    "clients.keep_submit": "clients.delete",
    "clients.resume": "clients.suspend",
    "clients.resume_submit": "clients.suspend",
    "clients.suspend": "clients.suspend",
    "clients.suspend_submit": "clients.suspend",
    "clients.unlink": "clients.unlink",
    "clients.unlink_submit": "clients.unlink",
    "clients.answer_request": SIGNED_IN,
    "clients.ask_owner": "clients.link",
    "clients.existing": "clients.link",
    "clients.link": "clients.link",
    "clients.link_request": SIGNED_IN,
    "clients.link_submit": "clients.link",
    "collections.access": "collections.own",
    "collections.collection": "organization.read",
    "collections.create": "collections.own",
    "collections.delete": "collections.own",
    "collections.delete_many": "collections.own",
    "collections.delete_submit": "collections.own",
    "collections.index": "organization.read",
    "collections.many": "collections.own",
    "collections.name": "collections.own",
    "collections.new": "collections.own",
    "collections.rules": "organization.settings",
    "collections.save_access": "collections.own",
    "collections.save_name": "collections.own",
    "collections.save_rules": "organization.settings",
    "collections.share_many": "collections.own",
    "collections.apply_set": "collections.create",
    "collections.starter_set": "collections.create",
    "collections.starter_sets": "collections.create",
    "console.save_settings": "organization.settings",
    "console.settings": "organization.settings",
    "favicon": PUBLIC,
    "groups.index": "groups.read",
    "groups.group": "groups.read",
    "groups.new": "groups.manage",
    "groups.create": "groups.manage",
    "groups.edit": "groups.manage",
    "groups.save": "groups.manage",
    "groups.delete": "groups.manage",
    "groups.delete_submit": "groups.manage",
    "groups.delete_many": "groups.manage",
    "groups.delete_many_submit": "groups.manage",
    "groups.remove_members": "groups.manage",
    "groups.add": "groups.manage",
    "groups.add_submit": "groups.manage",
    "groups.paste": "groups.manage",
    "groups.collections": "groups.manage",
    "groups.save_collections": "groups.manage",
    "policies.index": "policies.read",
    "policies.policy": "policies.read",
    "policies.preview": "policies.manage",
    "policies.save": "policies.manage",
    "health.healthz": PUBLIC,
    "health.readyz": PUBLIC,
    "help.page": PUBLIC,
    "help.picture": PUBLIC,
    "invoicing.organization_billing": "organization.billing.read",
    "invoicing.provider_billing": "billing.read",
    "invoicing.provider_billing_csv": "billing.read",
    "logbook.provider_events_proof": "provider.events.read",
    "logbook.organization_events_proof": "organization.events.read",
    "logbook.sign_provider": "provider.events.read",
    "logbook.sign_organization": "organization.events.read",
    "logbook.keep": "provider.events.read",
    "logbook.watch": "organization.events.read",
    "logbook.provider_events": "provider.events.read",
    "logbook.client_events": "provider.events.read",
    "logbook.organization_events": "organization.events.read",
    "logbook.provider_events_one": "provider.events.read",
    "logbook.client_events_one": "provider.events.read",
    "logbook.organization_events_one": "organization.events.read",
    "logbook.provider_events_csv": "provider.events.read",
    "logbook.client_events_csv": "provider.events.read",
    "logbook.organization_events_csv": "organization.events.read",
    "logbook.provider_events_jsonl": "provider.events.read",
    "logbook.client_events_jsonl": "provider.events.read",
    "logbook.organization_events_jsonl": "organization.events.read",
    "logbook.verifier_file": SIGNED_IN,
    "members.accept": PUBLIC,
    "members.address": "members.invite",
    "members.as_csv": "members.read",
    "members.ask": PUBLIC,
    "members.asked": PUBLIC,
    "members.change_members": "members.manage",
    "members.check_address": "members.invite",
    "members.confirm": "members.confirm",
    "members.confirm_submit": "members.confirm",
    "members.delete_import": "members.invite",
    "members.delete_import_submit": "members.invite",
    "members.import_left": "members.invite",
    "members.import_line": "members.invite",
    "members.import_list": "members.invite",
    "members.import_members": "members.invite",
    "members.import_template": "members.invite",
    "members.index": "members.read",
    "members.invitation": PUBLIC,
    "members.invite": "members.invite",
    "members.invite_submit": "members.invite",
    "members.join": PUBLIC,
    "members.leave": "organization.read",
    "members.leave_submit": "organization.read",
    "members.member": "members.read",
    "members.member_collections": "collections.manage",
    "members.member_groups": "groups.manage",
    "members.read_import": "members.invite",
    "members.replace_address": "members.invite",
    "members.resend": "members.invite",
    "members.review_change": "members.manage",
    "members.role": "members.manage",
    "members.save_collections": "collections.manage",
    "members.save_groups": "groups.manage",
    "members.save_import_line": "members.invite",
    "members.save_role": "members.manage",
    "members.skip_import_line": "members.invite",
    "members.start_import": "members.invite",
    "members.switch": PUBLIC,
    "members.work_import": "members.invite",
    "organizations.closed": "organization.read",
    "organizations.key_rotation_work": "organization.keys",
    "organizations.keys": "organization.keys",
    "organizations.rotate_key": "organization.keys",
    "organizations.rotate_key_submit": "organization.keys",
    "organizations.setup": "members.read",
    "organizations.go_live": "clients.hide",
    "organizations.hide": "clients.hide",
    "organizations.skip_step": "setup.skip",
    "organizations.skip_step_submit": "setup.skip",
    "organizations.take_step_up": "setup.skip",
    "organizations.waiting": "organization.read",
    "overview.home": "clients.read",
    "clients.client_people": "provider.people.read",
    "clients.client_people_csv": "provider.people.read",
    "providers.person_clients": "provider.people.read",
    "providers.person_clients_csv": "provider.people.read",
    "providers.scope": "provider.people.manage",
    "providers.choose_scope": "provider.people.manage",
    "providers.save_scope": "provider.people.manage",
    "providers.change_people": "provider.people.manage",
    "providers.confirm_people": "provider.keys",
    "providers.confirm_people_submit": "provider.keys",
    "providers.due_keys": "provider.keys",
    "providers.finish_rotation": "provider.keys",
    "providers.hand_over_batch": "provider.keys",
    "providers.hand_over_keys": "provider.keys",
    "providers.hand_over_work": "provider.keys",
    "providers.invite": "provider.people.manage",
    "providers.invite_submit": "provider.people.manage",
    "providers.keys": "provider.keys",
    "providers.keys_make": "provider.keys",
    "providers.keys_make_submit": "provider.keys",
    "providers.keys_recovery_sheet": "provider.keys",
    "providers.keys_recovery_sheet_submit": "provider.keys",
    "providers.keys_restore": "provider.keys",
    "providers.keys_restore_submit": "provider.keys",
    "providers.leave": "clients.read",
    "providers.leave_submit": "clients.read",
    "providers.people": "provider.people.read",
    "providers.person": "provider.people.read",
    "providers.review_change": "provider.people.manage",
    "providers.rotate_keys": "provider.keys",
    "providers.rotation_work": "provider.keys",
    "providers.start_rotation": "provider.keys",
    "providers.waiting": "clients.read",
    "providers.wrap_batch": "provider.keys",
    "settings.brand": "provider.settings",
    "settings.brand_logo": "provider.settings",
    "settings.brand_logo_remove": "provider.settings",
    "settings.brand_save": "provider.settings",
    "settings.general": "provider.settings",
    "settings.general_delete": "provider.settings",
    "settings.general_delete_submit": "provider.settings",
    "settings.general_save": "provider.settings",
    "settings.logo": PUBLIC,
    "settings.style": PUBLIC,
    "settings.security": "provider.settings",
    "settings.security_release": "provider.settings",
    "settings.security_release_submit": "provider.settings",
    "settings.security_require": "provider.settings",
    "settings.security_require_submit": "provider.settings",
    "radar.calendar": "clients.read",
    "radar.download": "clients.read",
    "radar.feed": PUBLIC,
    "radar.index": "clients.read",
    "radar.leave": PUBLIC,
    "radar.leave_submit": PUBLIC,
    "radar.make_calendar": "clients.read",
    "radar.start_digest": "clients.read",
    "radar.stop_calendar": "clients.read",
    "radar.stop_digest": "clients.read",
    "static": PUBLIC,
}
# What stands in an address for a placeholder that is nobody's id.
WORDS = {
    "logbook.watch": {"state": "on"},
    "clients.link": {"candidate": uuid.UUID(int=1)},
    "clients.link_submit": {"candidate": uuid.UUID(int=1)},
    "clients.check_field": {"name": "seats"},
    "clients.import_line": {"line": 1},
    "clients.save_import_line": {"line": 1},
    "clients.skip_import_line": {"line": 1},
    "clients.take_import_line_back": {"line": 1},
    "collections.apply_set": {"pattern": "departments"},
    "collections.starter_set": {"pattern": "departments"},
    "help.page": {"name": "start-a-client-organization"},
    "help.picture": {"language": "en", "name": "none.png"},
    "members.import_line": {"line": 1},
    "members.save_import_line": {"line": 1},
    "members.skip_import_line": {"line": 1},
    "organizations.skip_step": {"step": "vault"},
    "organizations.skip_step_submit": {"step": "vault"},
    "organizations.take_step_up": {"step": "vault"},
    "policies.policy": {"kind": "two_step"},
    "policies.preview": {"kind": "two_step"},
    "policies.save": {"kind": "two_step"},
    "radar.feed": {"provider": uuid.UUID(int=1)},
    "settings.logo": {"owner": uuid.UUID(int=1), "logo": uuid.UUID(int=2)},
    "settings.style": {"owner": uuid.UUID(int=1), "version": "000000"},
    "static": {"version": "x", "name": "mark.svg"},
}


@dataclass(frozen=True)
class Route:
    """One address with one method."""

    endpoint: str
    method: str
    rule: str
    arguments: frozenset[str]

    @property
    def needs(self) -> str:
        return ACCESS[self.endpoint]

    @property
    def place(self) -> str:
        """The kind of tenant in whose name the address is, or an empty string."""
        for kind in ("provider", "organization"):
            if f"{kind}_id" in self.arguments:
                return kind
        return ""

    @property
    def ids(self) -> list[str]:
        return sorted(name for name in self.arguments if name.endswith("_id"))

    def url(self, app: Flask, tenant: Tenant, **ids: uuid.UUID) -> str:
        """The address with the tenant's ids, or those given instead."""
        values = {**tenant.ids, "token": tenant.invitation, **WORDS.get(self.endpoint, {}), **ids}
        chosen = {name: values[name] for name in self.arguments}
        return str(app.url_map.bind("localhost").build(self.endpoint, chosen, method=self.method))

    def foreign_urls(
        self, app: Flask, own: Tenant, foreign: Tenant
    ) -> Iterator[tuple[str, frozenset[str]]]:
        """Each address in which an id is foreign or nobody's, and which ids are one's own."""
        here, nowhere = own.ids, dict.fromkeys(own.ids, uuid.uuid4())
        for owners in itertools.product((here, foreign.ids, nowhere), repeat=len(self.ids)):
            if any(ids is not here for ids in owners):
                chosen = {name: ids[name] for name, ids in zip(self.ids, owners, strict=True)}
                mine = frozenset(name for name in self.ids if chosen[name] == here[name])
                yield self.url(app, own, **chosen), mine

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes_of(app: Flask) -> list[Route]:
    """Every address, once for each method."""
    return [
        Route(rule.endpoint, method, rule.rule, frozenset(rule.arguments))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def stated(app: Flask, endpoint: str) -> str:
    """What the view itself asks for."""
    access = app.view_functions[endpoint].access
    return str(access.permission) if access.permission else access.kind
