"""What the drop-downs of a client's billing details offer."""

from portal.web.choices import countries, days

__all__ = ["countries", "days"]
