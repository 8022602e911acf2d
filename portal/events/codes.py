"""The numbers under which the field's programs know events, for exports (reference, section 10).

What that list has no number for has none here: such an event is known by its type.
"""

CODES: dict[str, int] = {
    "account:session:begin": 1000,
    "account:second_factor:enable": 1002,
    "account:second_factor:disable": 1003,
    "account:second_factor:recovery_used": 1004,
    "account:session:refused": 1005,
    "account:account:erase": 1515,
    "organization:collection:create": 1300,
    "organization:collection:update": 1301,
    "organization:collection:delete": 1302,
    "organization:collection_creation:limit": 1610,
    "organization:collection_creation:allow": 1611,
    "organization:collection_deletion:limit": 1612,
    "organization:collection_deletion:allow": 1613,
    "organization:item_deletion:limit": 1614,
    "organization:item_deletion:allow": 1615,
    "organization:collection_reach:allow": 1616,
    "organization:collection_reach:limit": 1617,
    "organization:group:create": 1400,
    "organization:group:update": 1401,
    "organization:group:delete": 1402,
    "organization:group:add_members": 1504,
    "organization:group:remove_members": 1504,
    "organization:member:invite": 1500,
    "organization:member:confirm": 1501,
    "organization:member:update": 1502,
    "organization:member:remove": 1503,
    "organization:member:set_groups": 1504,
    "organization:member:set_collections": 1502,
    "organization:member:revoke": 1511,
    "organization:member:leave": 1516,
    "organization:member:restore": 1512,
    "organization:member:replace_address": 1525,
    "organization:organization:rename": 1600,
    "organization:organization:update": 1600,
    "organization:billing:update": 1600,
    "organization:subscription:update": 1600,
    "organization:organization:open": 1603,
    "organization:policy:update": 1700,
    "provider:person:invite": 1800,
    "provider:person:confirm": 1801,
    "provider:person:update": 1802,
    "provider:person:change_role": 1802,
    "provider:person:suspend": 1802,
    "provider:person:resume": 1802,
    "provider:person:remove": 1803,
    "provider:client:create": 1900,
    "organization:organization:create": 1900,
    "provider:client:link": 1901,
    "provider:client:unlink": 1902,
    "organization:domain:add": 2000,
    "organization:domain:remove": 2001,
    "organization:domain:verify": 2002,
}


def code_of(kind: str) -> int | None:
    """The number of a kind of event; None where the list has none that fits."""
    return CODES.get(kind)
