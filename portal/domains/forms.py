"""The form of a domain."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from portal.domain.claimed_domains import check_domain
from portal.web.forms import Form


class DomainForm(Form):
    """The name of a domain."""

    domain = StringField(
        _l("Domain"),
        description=_l(
            "What stands behind the @ in your addresses, such as example.com. Each subdomain is "
            "added by itself."
        ),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )

    def wanted(self) -> str:
        """The domain as it is stored; raises `RuleError` on the field."""
        return check_domain(self["domain"].data or "", field="domain")
