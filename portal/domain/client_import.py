"""Creating many clients from a list: what a list and each of its lines can be."""

from collections.abc import Collection, Mapping

from portal.domain.billing_details import BillingDetails, VatCheck, check_billing
from portal.domain.csv_lists import MORE, TOO_MANY_CELLS
from portal.domain.errors import N_, Message, RuleError
from portal.domain.names import name_ci
from portal.domain.new_client import INVOICE, ClientOrder, check
from portal.domain.plans import Cadence, Plan
from portal.domain.whole_numbers import whole_number

LINES = 500
BATCH = 25
# What can stand in a line, in the order of a list without a heading.
FIELDS = (
    "name",
    "billing_email",
    "owner_email",
    "plan",
    "seats",
    "autogrow",
    "seat_limit",
    "extra_storage_gb",
    "cadence",
    "baseline",
)
LABELS = {
    "name": N_("Organization name"),
    "billing_email": N_("Billing e-mail"),
    "owner_email": N_("Client owner e-mail"),
    "plan": N_("Plan"),
    "seats": N_("Seats"),
    "autogrow": N_("Add seats automatically"),
    "seat_limit": N_("Seat limit"),
    "extra_storage_gb": N_("Additional storage (GB)"),
    "cadence": N_("Billing cadence"),
    "baseline": N_("Baseline"),
}
# The language of the invitation: kept with a line, typed by nobody.
LOCALE = "locale"
NO_ANSWER = N_("Enter yes or no.")
NO_BASELINE = N_("No baseline of yours has this name.")
SAME_AS = N_("This is line %(line)s once more. Skip one of them, or change it.")

_PLANS = {
    **dict.fromkeys(("teams", "team", "equipes", "equipe"), Plan.TEAMS),
    **dict.fromkeys(("enterprise", "entreprise"), Plan.ENTERPRISE),
}
_CADENCES = {
    "": Cadence.MONTHLY,
    **dict.fromkeys(("monthly", "month", "mensuel", "mensuelle", "mois"), Cadence.MONTHLY),
    **dict.fromkeys(
        ("annual", "annually", "yearly", "year", "annuel", "annuelle", "an", "annee"),
        Cadence.ANNUAL,
    ),
}
_ANSWERS = {
    **dict.fromkeys(("", "yes", "y", "true", "1", "x", "oui", "o", "vrai"), True),
    **dict.fromkeys(("no", "n", "false", "0", "non", "faux"), False),
}


Typed = Mapping[str, str]
Problems = dict[str, RuleError]


def order_of(typed: Typed, billing: BillingDetails) -> tuple[ClientOrder, Problems]:
    """The order that a line is, and what in it could not be read, by field.

    An empty cell is what the form for a new client begins with, but a name, an address, a plan
    and a number of seats have to be there.
    """
    unread: Problems = {}

    def number(name: str, empty: int | None) -> int | None:
        try:
            found = whole_number(typed.get(name, ""))
        except RuleError as error:
            unread[name] = RuleError(error.text, field=name)
            return None
        return empty if found is None else found

    grows = _ANSWERS.get(_word(typed, "autogrow"))
    if grows is None:
        unread["autogrow"] = RuleError(NO_ANSWER, field="autogrow")
    order = ClientOrder(
        name=typed.get("name", ""),
        billing_email=typed.get("billing_email", ""),
        owner_email=typed.get("owner_email", ""),
        plan=_PLANS.get(_word(typed, "plan")),
        seats=number("seats", None),
        autogrow=True if grows is None else grows,
        seat_limit=number("seat_limit", None),
        extra_storage_gb=number("extra_storage_gb", 0),
        cadence=_CADENCES.get(_word(typed, "cadence")),
        payment=INVOICE,
        billing=billing,
    )
    return order, unread


def _word(typed: Typed, name: str) -> str:
    return name_ci(typed.get(name, ""))


def problems_of(typed: Typed, billing: BillingDetails, vat_check: VatCheck) -> dict[str, Message]:
    """What is wrong with a line, by field, by the rules of the form for a new client.

    The billing details are the provider's own, and no fault of a line: see `billing_problem`.
    """
    order, unread = order_of(typed, billing)
    found = {**check(order, vat_check=vat_check), **unread}
    problems = {name: found[name].text for name in FIELDS if name in found}
    if typed.get(MORE):
        problems[MORE] = Message(TOO_MANY_CELLS)
    return problems


def billing_problem(billing: BillingDetails, vat_check: VatCheck) -> Message | None:
    """What the provider's own billing details lack that each of its clients' needs."""
    return next((error.text for error in check_billing(billing, vat_check).values()), None)


def key_of(typed: Typed) -> tuple[str, str]:
    """Two lines with the same key are one client, written twice."""
    return _word(typed, "name"), typed.get("owner_email", "").strip().casefold()


def twice(lines: Mapping[int, Typed]) -> dict[int, int]:
    """The lines that say what an earlier one says, and which that is."""
    first: dict[tuple[str, str], int] = {}
    again: dict[int, int] = {}
    for line in sorted(lines):
        key = key_of(lines[line])
        if all(key) and key in first:
            again[line] = first[key]
        else:
            first[key] = line
    return again


def baseline_of(typed: Typed, baselines: Collection[str]) -> str | None:
    """The folded name of a line's baseline, empty for none; None where it is not of `baselines`."""
    name = _word(typed, "baseline")
    return name if not name or name in baselines else None


def judged(
    lines: Mapping[int, Typed],
    billing: BillingDetails,
    vat_check: VatCheck,
    baselines: Collection[str] = (),
) -> dict[int, dict[str, Message]]:
    """What is wrong with each line of a list: with it, and beside the others.

    `baselines` are the folded names of those that there are.
    """
    found = {line: problems_of(typed, billing, vat_check) for line, typed in lines.items()}
    for line, typed in lines.items():
        if baseline_of(typed, baselines) is None:
            found[line]["baseline"] = Message(NO_BASELINE)
    for line, earlier in twice(lines).items():
        found[line].setdefault("name", Message.of(SAME_AS, line=earlier))
    return found
