"""What each event says to people, with an icon and a tone for its line.

A sentence has no subject: the person stands in a column of their own. Its placeholders are the
event's details; `VARIANTS` are used instead where a detail is true.
"""

from portal.domain.errors import N_

SENTENCES: dict[str, str] = {
    "account:account:create": N_("Created the account"),
    "account:account:erase": N_("Erased the personal data in %(rows)s rows of this log"),
    "account:keys:create": N_("Made the keys of the account"),
    "account:address:ask": N_("Asked for another e-mail address"),
    "account:address:cancel": N_("Gave up another e-mail address"),
    "account:address:change": N_("Changed the e-mail address"),
    "account:profile:update": N_("Changed the profile"),
    "account:second_factor:enable": N_("Turned on the second factor"),
    "account:second_factor:disable": N_("Turned off the second factor"),
    "account:second_factor:recovery_used": N_(
        "Used a recovery code; codes that are left: %(codes_left)s"
    ),
    "account:recovery_codes:create": N_("Made new recovery codes"),
    "account:session:begin": N_("Signed in (%(method)s)"),
    "account:session:end": N_("Signed out"),
    "account:session:refused": N_("Was refused at sign-in (%(method)s)"),
    "provider:provider:create": N_("Created the provider %(name)s"),
    "provider:provider:delete": N_("Deleted the provider %(name)s"),
    "provider:provider:update": N_("Changed the settings of the provider"),
    "provider:billing:update": N_("Changed the billing details of the provider"),
    "provider:brand:update": N_("Changed the logo or colour of the provider"),
    "provider:second_factor:require": N_("Required a second factor of all people"),
    "provider:second_factor:release": N_("No longer required a second factor"),
    "provider:person:leave": N_("Left the provider"),
    "provider:keys:create": N_("Made the keys of the provider"),
    "provider:recovery_sheet:save": N_("Printed the recovery sheet"),
    "provider:recovery_sheet:use": N_("Used the recovery sheet"),
    "provider:terms:update": N_("Changed the terms of the provider"),
    "provider:person:invite": N_("Invited %(email)s to the provider as %(role)s"),
    "provider:person:accept": N_("Accepted the invitation of %(email)s to the provider"),
    "provider:person:confirm": N_("Confirmed %(email)s at the provider"),
    "provider:client:create": N_("Created the client %(name)s"),
    "provider:log:keep": N_("Changed how long the event logs are kept"),
    "organization:organization:create": N_("Created the organization %(name)s"),
    "organization:organization:open": N_("Entered as %(provider)s"),
    "organization:organization:rename": N_("Renamed the organization to %(after)s"),
    "organization:organization:update": N_("Changed the settings of the organization"),
    "organization:billing:update": N_("Changed the billing details"),
    "organization:keys:create": N_("Made the keys of the organization"),
    "organization:keys:rewrap": N_("Wrapped the key of the organization for the next provider key"),
    "organization:keys:withhold": N_(
        "Rotated the provider key without the key of the organization, of which it has no copy now"
    ),
    "organization:keys:hand_over": N_("Handed the key of the organization over to the provider"),
    "organization:keys:rotate": N_("Rotated the key of the organization; members: %(members)s"),
    "organization:member:invite": N_("Invited %(email)s as %(role)s"),
    "organization:member:reinvite": N_("Sent the invitation to %(email)s again"),
    "organization:member:replace_address": N_(
        "Replaced the invited address %(before)s by %(after)s"
    ),
    "organization:member:accept": N_("Accepted the invitation to %(email)s"),
    "organization:member:confirm": N_("Confirmed %(email)s"),
    "organization:member:confirm_automatically": N_("Confirmed %(email)s automatically"),
    "organization:automatic_confirmation:enable": N_("Turned on automatic confirmation"),
    "organization:automatic_confirmation:disable": N_("Turned off automatic confirmation"),
    "organization:domain:add": N_("Added the domain %(domain)s, to be verified"),
    "organization:domain:remove": N_("Removed the domain %(domain)s"),
    "organization:domain:check": N_("Had the domain %(domain)s looked up"),
    "organization:domain:verify": N_("Verified the domain %(domain)s"),
    "organization:domain:give_up": N_(
        "Stopped looking for the record of %(domain)s, which was not found"
    ),
    "organization:domain:miss": N_("Found the record of the verified domain %(domain)s missing"),
    "organization:domain:find_again": N_("Found the record of %(domain)s again"),
    "organization:domain:lose": N_(
        "Took %(domain)s off the verified domains, as its record stayed away"
    ),
    "organization:member:key_changed": N_(
        "Was kept from confirming %(email)s, whose key had changed"
    ),
    "organization:member_list:start": N_("Began to invite people from a list; people: %(members)s"),
    "organization:member:enrol_recovery": N_("Enrolled %(email)s in account recovery"),
    "organization:member:withdraw_recovery": N_("Withdrew %(email)s from account recovery"),
    "organization:member:recover": N_(
        "Recovered the account of %(email)s with a temporary master password"
    ),
    "organization:recovery:request": N_("Asked for the account of %(email)s to be recovered"),
    "organization:recovery:approve": N_("Approved the recovery of the account of %(email)s"),
    "organization:recovery:decline": N_("Declined the recovery of the account of %(email)s"),
    "organization:recovery:withdraw": N_("Withdrew the recovery of the account of %(email)s"),
    "organization:recovery:tell": N_(
        "Told %(email)s of the recovery of their account; their 24 hours run"
    ),
    "organization:recovery:tell_again": N_(
        "Sent %(email)s the mail about the recovery of their account again"
    ),
    "organization:recovery:stop": N_("Stopped the recovery of their own account, %(email)s"),
    "organization:recovery:expire": N_(
        "Closed the recovery of the account of %(email)s, whose time was over"
    ),
    "organization:recovery_by_provider:allow": N_("Let people of the provider recover plain users"),
    "organization:recovery_by_provider:limit": N_(
        "No longer let people of the provider recover plain users"
    ),
    "organization:member:leave": N_("Left the organization"),
    "organization:member:remove": N_("Removed %(email)s"),
    "organization:member:restore": N_("Restored the access of %(email)s"),
    "organization:member:revoke": N_("Revoked the access of %(email)s"),
    "organization:member:set_collections": N_("Changed the collections of %(email)s"),
    "organization:member:set_groups": N_("Changed the groups of %(email)s"),
    "organization:member:revoke_two_step": N_(
        "Revoked the access of %(email)s, who had no second factor"
    ),
    "organization:member:revoke_single_organization": N_(
        "Revoked the access of %(email)s, who belongs to another organization"
    ),
    "organization:policy:update": N_("Changed the policy %(policy)s"),
    "organization:member:update": N_("Changed the role of %(email)s"),
    "organization:collection:create": N_("Created a collection"),
    "organization:collection:update": N_("Changed who reaches a collection"),
    "organization:collection:delete": N_("Deleted a collection"),
    "organization:collection_creation:limit": N_("Limited who creates collections"),
    "organization:collection_creation:allow": N_("Let every member create collections"),
    "organization:collection_deletion:limit": N_("Limited who deletes collections"),
    "organization:collection_deletion:allow": N_("Let managers of collections delete them"),
    "organization:item_deletion:limit": N_("Limited who deletes items"),
    "organization:item_deletion:allow": N_("Let everybody who edits items delete them"),
    "organization:collection_reach:allow": N_("Let owners and admins reach every collection"),
    "organization:collection_reach:limit": N_(
        "Limited owners and admins to the collections they are given"
    ),
    "organization:baseline:apply": N_(
        "Applied the baseline %(name)s, version %(version)s; changes: %(changes)s"
    ),
    "organization:baseline:deviate": N_(
        "Deviates from the baseline %(name)s, version %(version)s; values: %(values)s"
    ),
    "organization:baseline:return": N_(
        "Is as the baseline %(name)s, version %(version)s, says again"
    ),
    "organization:baseline:undo": N_(
        "Took the baseline %(name)s, version %(version)s, back within ten minutes"
    ),
    "organization:deviation:accept": N_("Accepted a deviation from the baseline (%(path)s)"),
    "organization:deviation:withdraw": N_(
        "Accepted a deviation from the baseline no longer (%(path)s)"
    ),
    "organization:configuration:apply": N_("Applied a configuration; changes: %(changes)s"),
    "organization:group:create": N_("Created the group %(name)s"),
    "organization:group:update": N_("Changed a group"),
    "organization:group:delete": N_("Deleted the group %(name)s"),
    "organization:group:add_members": N_("Added members to the group %(name)s"),
    "organization:group:remove_members": N_("Took members out of the group %(name)s"),
    "organization:api_key:create": N_("Made the key of the API"),
    "organization:api_key:rotate": N_("Replaced the key of the API"),
    "organization:api_key:revoke": N_("Revoked the key of the API"),
    "organization:setup:skip": N_("Skipped the step “%(step)s” of the set-up"),
    "organization:setup:take_up": N_("Opened the step “%(step)s” of the set-up again"),
    "organization:log:watch": N_("Changed the mail at each entry of the provider"),
    "system:log:archive": N_("Archived the events up to number %(through)s"),
    "account:password:change": N_("Changed the master password"),
    "account:password:replace": N_("Replaced the temporary master password"),
    "account:session:revoke": N_("Signed out a device (%(browser)s)"),
    "account:session:revoke_others": N_("Signed out the other devices"),
    "provider:keys:start_rotation": N_("Began to rotate the provider key"),
    "provider:keys:rotate": N_("Rotated the provider key; clients: %(clients)s"),
    "provider:person:reinvite": N_("Sent the invitation of %(email)s again"),
    "provider:person:hand_over_key": N_("Handed the provider key over to %(email)s"),
    "provider:person:hand_over_client_keys": N_(
        "Handed keys of clients over to %(email)s; clients: %(clients)s"
    ),
    "provider:person:take_key": N_("Took the provider key from %(email)s, whose scope changed"),
    "provider:person:key_changed": N_(
        "Was stopped from confirming %(email)s: their key has changed"
    ),
    "provider:person:update": N_("Changed the role of %(email)s"),
    "provider:person:change_scope": N_("Changed the scope of %(email)s"),
    "provider:person:end_access": N_("Suspended %(email)s, whose last day is over"),
    "provider:person:keep_access": N_(
        "Kept %(email)s past their last day: nobody else is a provider admin"
    ),
    "provider:person:suspend": N_("Suspended %(email)s"),
    "provider:person:resume": N_("Resumed %(email)s"),
    "provider:person:remove": N_("Removed %(email)s from the provider"),
    "provider:client:annotate": N_("Changed tags, note or reference of %(name)s"),
    "provider:baseline:create": N_("Created the baseline %(name)s"),
    "provider:baseline:update": N_("Changed a baseline"),
    "provider:baseline:delete": N_("Deleted the baseline %(name)s"),
    "provider:calendar:create": N_("Made a secret address for their calendar"),
    "provider:calendar:replace": N_("Replaced the secret address of their calendar"),
    "provider:calendar:delete": N_("Switched off the secret address of their calendar"),
    "provider:digest:start": N_("Switched on the weekly e-mail"),
    "provider:digest:stop": N_("Switched off the weekly e-mail"),
    "provider:tag:create": N_("Created the tag %(name)s"),
    "provider:tag:update": N_("Changed a tag"),
    "provider:tag:delete": N_("Deleted the tag %(name)s"),
    "provider:client_list:start": N_("Began to create clients from a list; clients: %(clients)s"),
    "provider:change_set:start": N_("Began a change of many clients; clients: %(clients)s"),
    "provider:change_set:undo": N_("Undid a change of many clients"),
    "provider:view:create": N_("Saved the view %(name)s"),
    "provider:view:update": N_("Changed a saved view"),
    "provider:view:delete": N_("Deleted the view %(name)s"),
    "provider:link:ask": N_("Asked %(email)s to link an organization"),
    "provider:link:decline": N_("Declined to link an organization (%(email)s)"),
    "organization:subscription:change": N_("Changed the subscription"),
    "organization:seats:approve": N_("Approved a request for more seats; seats: %(seats)s"),
    "organization:seats:ask": N_("Asked for more seats; seats: %(seats)s"),
    "organization:seats:decline": N_("Declined a request for more seats; seats: %(seats)s"),
    "organization:seats:withdraw": N_("Withdrew a request for more seats; seats: %(seats)s"),
    "provider:seat_growth:update": N_("Changed how far the seats of clients grow"),
    "organization:seats:grow": N_("Added seats automatically: %(after)s instead of %(before)s"),
    "organization:organization:go_live": N_("Made the client live"),
    "organization:organization:hide": N_("Kept the client from service users until it is live"),
    "organization:organization:suspend": N_("Suspended the organization"),
    "organization:organization:resume": N_("Resumed the organization"),
    "organization:organization:ask_deletion": N_("Asked for the organization to be deleted"),
    "organization:deletion:ask": N_("Asked for the link that deletes the organization"),
    "organization:deletion:cancel": N_("Cancelled the deletion of the organization"),
    "organization:organization:keep": N_("Kept the organization after all"),
    "organization:organization:delete": N_("Deleted the organization %(name)s"),
    "organization:organization:link": N_("Linked the organization %(name)s to %(provider)s"),
    "organization:organization:unlink": N_("Unlinked the organization from %(provider)s"),
    "organization:provider_access:allow": N_("Let the provider's people come in at any time"),
    "organization:provider_access:limit": N_("Let the provider's people come in when they ask"),
    "organization:provider_access:forbid": N_("Kept the provider's people out"),
    "organization:provider_access:ask": N_("Asked for access; minutes: %(minutes)s"),
    "organization:provider_access:approve": N_("Let %(person)s in; minutes: %(minutes)s"),
    "organization:provider_access:decline": N_("Declined to let %(person)s in"),
    "organization:provider_access:withdraw": N_("Withdrew the request for access"),
    "organization:provider_access:lapse": N_("Closed the unanswered request of %(person)s"),
    "organization:provider_access:end": N_("Ended the access of %(person)s"),
    "organization:provider_access:expire": N_("Closed the access of %(person)s, whose time was up"),
    "organization:provider_access:end_session": N_("Signed %(person)s of the provider out"),
}
VARIANTS: dict[tuple[str, str], str] = {
    ("organization:collection:update", "renamed"): N_("Renamed a collection"),
    ("organization:member:confirm", "by_making_keys"): N_(
        "Made the keys when joining, and so is confirmed"
    ),
    ("organization:keys:create", "by_owner"): N_(
        "Made the keys of the organization in the owner's browser"
    ),
    ("provider:person:confirm", "by_founding"): N_("Founded the provider, and so is confirmed"),
    ("account:session:end", "everywhere"): N_("Signed out everywhere"),
}

# By the whole kind first, then by its subject, then by its action.
_ICONS = {
    "account:account:erase": "trash-2",
    "account:session:begin": "log-out",
    "account:session:refused": "triangle-alert",
    "organization:organization:open": "eye",
    "organization:member:key_changed": "triangle-alert",
    "account": "user",
    "api_key": "key-round",
    "automatic_confirmation": "user-check",
    "billing": "receipt",
    "brand": "sun",
    "calendar": "clock",
    "client": "building-2",
    "client_list": "building-2",
    "collection": "folder",
    "collection_creation": "folder",
    "collection_deletion": "folder",
    "collection_reach": "folder",
    "item_deletion": "folder",
    "baseline": "list-checks",
    "configuration": "list-checks",
    "deletion": "trash-2",
    "deviation": "list-checks",
    "digest": "mail",
    "domain": "globe",
    "group": "users",
    "keys": "key-round",
    "log": "scroll-text",
    "member": "user",
    "member_list": "users",
    "organization": "building-2",
    "person": "user",
    "policy": "shield",
    "profile": "user",
    "provider": "building-2",
    "provider_access": "shield",
    "recovery": "key-round",
    "recovery_by_provider": "key-round",
    "recovery_codes": "shield",
    "recovery_sheet": "printer",
    "second_factor": "shield",
    "seat_growth": "receipt",
    "seats": "receipt",
    "session": "log-out",
    "setup": "list-checks",
    "subscription": "receipt",
    "accept": "user-check",
    "confirm": "user-check",
    "confirm_automatically": "user-check",
    "invite": "user-plus",
    "reinvite": "mail",
    "delete": "trash-2",
    "remove": "trash-2",
    "rename": "pencil",
    "update": "pencil",
}
_ALWAYS_BY_ACTION = frozenset({"accept", "confirm", "invite", "reinvite", "delete", "remove"})
_WARNS = frozenset(
    {
        "refused",
        "recovery_used",
        "disable",
        "release",
        "leave",
        "forbid",
        "suspend",
        "revoke",
        "revoke_two_step",
        "revoke_single_organization",
        "erase",
        "archive",
        "give_up",
        "miss",
        "lose",
    }
)
_ALARMS = frozenset({"key_changed"})

# What the type filter offers: headings, and the subjects of the kinds under each.
GROUPS: dict[str, tuple[str, frozenset[str]]] = {
    "clients": (N_("Clients"), frozenset({"client", "client_list", "terms"})),
    "organization": (
        N_("Organization"),
        frozenset({"organization", "billing", "provider", "brand", "deletion", "domain"}),
    ),
    "people": (N_("People of the provider"), frozenset({"person"})),
    "provider_access": (N_("Provider access"), frozenset({"provider_access"})),
    "members": (N_("Members"), frozenset({"member", "member_list", "automatic_confirmation"})),
    "keys": (N_("Keys"), frozenset({"keys", "recovery_sheet", "api_key"})),
    "log": (N_("Event log"), frozenset({"log"})),
    "account": (N_("Account"), frozenset({"account", "profile", "session", "second_factor"})),
}
OTHER = ("other", N_("Other"))


def icon_of(kind: str) -> str:
    """The symbol of `static/icons.svg` beside an event."""
    _source, subject, action = kind.split(":")
    if kind in _ICONS:
        return _ICONS[kind]
    if action in _ALWAYS_BY_ACTION:
        return _ICONS[action]
    return _ICONS.get(subject) or _ICONS.get(action, "scroll-text")


def tone_of(kind: str) -> str:
    """`bad`, `warn` or nothing: what a reader should not overlook."""
    action = kind.rpartition(":")[2]
    return "bad" if action in _ALARMS else "warn" if action in _WARNS else ""


def sentence_of(kind: str, details: dict[str, object]) -> str:
    """The message id of an event's sentence; kinds without one are told by their name."""
    for name, value in details.items():
        if value is True and (kind, name) in VARIANTS:
            return VARIANTS[kind, name]
    return SENTENCES.get(kind, "")


def group_of(kind: str) -> tuple[str, str]:
    """The key and the heading under which the filter offers a kind."""
    subject = kind.split(":")[1]
    for key, (heading, subjects) in GROUPS.items():
        if subject in subjects:
            return key, heading
    return OTHER
