"""Every event there is, `source:subject:action`, and the keys its details may have.

A misspelt event is a KeyError in the first test, and what cannot be misspelt can be searched.
`before` and `after` hold plain values, never secrets and never ciphertext. What says something of
a person stands beside the chain, so that it can be erased (portal/events/compose.py).
"""

# Details with these names are personal in every event.
PERSONAL_NAMES = frozenset({"email", "emails", "person", "address"})
# Events whose `before` and `after` are personal.
PERSONAL_CHANGES = frozenset(
    {
        "account:address:ask",
        "account:address:cancel",
        "account:address:change",
        "account:profile:update",
        "organization:billing:update",
        "organization:member:replace_address",
    }
)

VOCABULARY: dict[str, frozenset[str]] = {
    "account:account:create": frozenset({"with_keys"}),
    "account:account:erase": frozenset({"rows"}),
    "account:address:ask": frozenset({"before", "after"}),
    "account:address:cancel": frozenset({"before", "after"}),
    "account:address:change": frozenset({"before", "after"}),
    "account:keys:create": frozenset({"fingerprint"}),
    "account:password:change": frozenset({"sessions"}),
    "account:profile:update": frozenset({"before", "after"}),
    "account:second_factor:enable": frozenset(),
    "account:second_factor:disable": frozenset(),
    "account:second_factor:recovery_used": frozenset({"codes_left"}),
    "account:recovery_codes:create": frozenset(),
    "account:session:begin": frozenset({"method"}),
    "account:session:end": frozenset({"everywhere"}),
    "account:session:revoke": frozenset({"browser", "source"}),
    "account:session:revoke_others": frozenset({"sessions"}),
    "account:session:refused": frozenset({"method"}),
    "provider:provider:create": frozenset({"name"}),
    "provider:keys:create": frozenset({"fingerprint"}),
    "provider:keys:rotate": frozenset({"before", "after", "clients", "people"}),
    "provider:keys:start_rotation": frozenset({"fingerprint"}),
    "provider:recovery_sheet:save": frozenset(),
    "provider:recovery_sheet:use": frozenset(),
    "provider:terms:update": frozenset({"before", "after"}),
    "provider:person:invite": frozenset({"email", "role"}),
    "provider:person:accept": frozenset({"email", "role"}),
    "provider:person:confirm": frozenset({"email", "fingerprint", "by_founding", "with_key"}),
    "provider:person:hand_over_key": frozenset({"email", "fingerprint"}),
    "provider:person:hand_over_client_keys": frozenset({"email", "fingerprint", "clients"}),
    "provider:person:take_key": frozenset({"email"}),
    "provider:person:key_changed": frozenset({"email", "fingerprint", "shown"}),
    "provider:person:reinvite": frozenset({"email"}),
    "provider:person:remove": frozenset({"email", "before"}),
    "provider:person:resume": frozenset({"email", "before", "after"}),
    "provider:person:suspend": frozenset({"email", "before", "after"}),
    "provider:person:update": frozenset({"email", "before", "after"}),
    "provider:client:create": frozenset({"name", "plan", "seats", "with_keys"}),
    "provider:log:keep": frozenset({"before", "after"}),
    "provider:client:annotate": frozenset({"name", "before", "after"}),
    "provider:tag:create": frozenset({"name", "colour"}),
    "provider:change_set:start": frozenset({"action", "tag", "query", "clients"}),
    "provider:change_set:undo": frozenset({"action", "tag"}),
    "provider:tag:update": frozenset({"before", "after"}),
    "provider:tag:delete": frozenset({"name", "clients"}),
    "provider:view:create": frozenset({"name", "query", "shared"}),
    "provider:view:update": frozenset({"before", "after"}),
    "provider:view:delete": frozenset({"name", "query", "shared"}),
    "organization:organization:create": frozenset({"name", "plan", "seats", "with_keys"}),
    "organization:organization:open": frozenset({"provider"}),
    "organization:organization:rename": frozenset({"before", "after"}),
    "organization:subscription:change": frozenset({"before", "after", "adjustment"}),
    "organization:organization:suspend": frozenset({"before", "after"}),
    "organization:organization:resume": frozenset({"before", "after"}),
    "organization:organization:ask_deletion": frozenset({"before", "after"}),
    "organization:organization:keep": frozenset({"before", "after"}),
    "organization:organization:delete": frozenset({"name"}),
    "organization:organization:link": frozenset({"name", "provider"}),
    "provider:link:ask": frozenset({"email"}),
    "provider:link:decline": frozenset({"email"}),
    "organization:organization:unlink": frozenset({"provider", "owners"}),
    "organization:billing:update": frozenset({"before", "after"}),
    "organization:keys:create": frozenset({"fingerprint", "by_owner", "wrapped_to"}),
    "organization:keys:rotate": frozenset(
        {"fingerprint", "by_owner", "members", "people", "collections"}
    ),
    "organization:member:invite": frozenset({"email", "role"}),
    "organization:member:reinvite": frozenset({"email"}),
    "organization:member:replace_address": frozenset({"before", "after"}),
    "organization:member:accept": frozenset({"email"}),
    "organization:member:confirm": frozenset({"email", "fingerprint", "by_making_keys"}),
    "organization:member:key_changed": frozenset({"email", "fingerprint", "shown"}),
    "organization:log:watch": frozenset({"on"}),
    "system:log:archive": frozenset({"first", "through", "rows", "file", "sha256"}),
}
