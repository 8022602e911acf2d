"""A provider's people and keys stand in the modules below."""

from portal.providers import (
    client_key_views,
    confirm_views,
    key_views,
    leave_views,
    people_views,
    reach_views,
    rotation_views,
    scope_views,
    waiting_views,
)
from portal.providers.blueprint import bp

__all__ = [
    "bp",
    "client_key_views",
    "confirm_views",
    "key_views",
    "leave_views",
    "people_views",
    "reach_views",
    "rotation_views",
    "scope_views",
    "waiting_views",
]
