"""The form of VAT numbers, checked without asking anybody (python-stdnum)."""

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from portal.domain.errors import N_, refuse

# Territories whose businesses carry another country's numbers.
_SCHEME_OF = {"AX": "FI", "GP": "FR", "GF": "FR", "IM": "GB", "MQ": "FR", "RE": "FR"}
_SCHEME_OF |= {"LI": "CH"}
# Greece writes EL; Northern Ireland, inside GB, writes XI for trade in goods with the EU.
_EU_PREFIX = {"GR": "EL"}
_EU = frozenset(state.upper() for state in eu_vat.MEMBER_STATES) - {"XI"}
# A number without its VAT suffix is the business's own; Swiss and Norwegian forms allow both.
_ELSEWHERE = {
    "AU": ("stdnum.au.abn",),
    "CH": ("stdnum.ch.vat", "stdnum.ch.uid"),
    "GB": ("stdnum.gb.vat",),
    "IN": ("stdnum.in_.gstin",),
    "IS": ("stdnum.is_.vsk",),
    "MC": ("stdnum.mc.tva",),
    "NO": ("stdnum.no.mva", "stdnum.no.orgnr"),
    "NZ": ("stdnum.nz.ird",),
    "RS": ("stdnum.rs.pib",),
    "TR": ("stdnum.tr.vkn",),
}
_WRITTEN_PREFIX = {"GB": "GB"}
_SEPARATORS = re.compile(r"[\s./\u2010-\u2015-]+")
_SANE = re.compile(r"(?=(.*[0-9]){2})[A-Z0-9]{4,20}\Z")


def check_vat_number(country: str, number: str) -> str:
    """`number` as it is stored: capitals without separators, with its prefix where it has one.

    `country` is the ISO 3166-1 alpha-2 code of the billing address. Its scheme is checked with
    check digits where it is known, else only that the number looks like one. Raises `RuleError`
    on `vat_number`.
    """
    compact = _SEPARATORS.sub("", number).upper()
    scheme = _SCHEME_OF.get(country, country)
    for validate, candidate in _attempts(scheme, compact):
        try:
            return validate(candidate)
        except ValidationError:
            continue
    raise refuse(
        N_("This is not a VAT number of %(country)s. Check it, or leave it empty."),
        field="vat_number",
        country=country,
    )


Attempt = tuple[Callable[[str], str], str]


def _attempts(scheme: str, compact: str) -> list[Attempt]:
    if scheme in _EU:
        return _european(_EU_PREFIX.get(scheme, scheme), compact)
    if scheme == "GB" and compact.startswith("XI"):
        return _european("XI", compact)
    if scheme in _ELSEWHERE:
        return _national(scheme, compact)
    return [(_sane, compact)]


def _european(prefix: str, compact: str) -> list[Attempt]:
    # A number typed without its prefix may itself begin with the same two letters.
    written = [compact] if compact.startswith(prefix) else []
    return [(eu_vat.validate, candidate) for candidate in (*written, prefix + compact)]


def _national(scheme: str, compact: str) -> list[Attempt]:
    return [(partial(_validate, scheme, module), compact) for module in _ELSEWHERE[scheme]]


def _validate(scheme: str, module: str, compact: str) -> str:
    valid: str = import_module(module).validate(compact)
    return _WRITTEN_PREFIX.get(scheme, "") + valid


def _sane(compact: str) -> str:
    if not _SANE.match(compact):
        raise ValidationError
    return compact
