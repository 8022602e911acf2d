"""Every event there is, `source:subject:action`, and the keys its details may have.

A misspelt event is a KeyError in the first test, and what cannot be misspelt can be searched.
`before` and `after` hold plain values, never secrets and never ciphertext.
"""

VOCABULARY: dict[str, frozenset[str]] = {
    "account:account:create": frozenset({"with_keys"}),
    "account:keys:create": frozenset({"fingerprint"}),
    "account:profile:update": frozenset({"before", "after"}),
    "account:second_factor:enable": frozenset(),
    "account:second_factor:disable": frozenset(),
    "account:second_factor:recovery_used": frozenset({"codes_left"}),
    "account:recovery_codes:create": frozenset(),
    "account:session:begin": frozenset({"method"}),
    "account:session:end": frozenset({"everywhere"}),
    "account:session:refused": frozenset({"method"}),
    "provider:provider:create": frozenset({"name"}),
    "provider:keys:create": frozenset({"fingerprint"}),
    "provider:recovery_sheet:save": frozenset(),
    "provider:recovery_sheet:use": frozenset(),
    "provider:terms:update": frozenset({"before", "after"}),
    "provider:person:invite": frozenset({"email", "role"}),
    "provider:person:accept": frozenset({"email", "role"}),
    "provider:person:confirm": frozenset({"email", "fingerprint", "by_founding"}),
    "provider:client:create": frozenset({"name", "plan", "seats", "with_keys"}),
    "organization:organization:create": frozenset({"name", "plan", "seats", "with_keys"}),
    "organization:organization:open": frozenset({"provider"}),
    "organization:organization:rename": frozenset({"before", "after"}),
    "organization:billing:update": frozenset({"before", "after"}),
    "organization:keys:create": frozenset({"fingerprint", "by_owner", "wrapped_to"}),
    "organization:member:invite": frozenset({"email", "role"}),
    "organization:member:reinvite": frozenset({"email"}),
    "organization:member:replace_address": frozenset({"before", "after"}),
    "organization:member:accept": frozenset({"email"}),
    "organization:member:confirm": frozenset({"email", "fingerprint", "by_making_keys"}),
    "organization:member:key_changed": frozenset({"email", "fingerprint", "shown"}),
}
    "organization:subscription:change": frozenset({"before", "after", "adjustment"}),
