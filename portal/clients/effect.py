"""A change of a subscription as its pages show it: before and after, what it costs, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.clients.summary import Line, percent_of, seats_of
from portal.domain.plans import Feature
from portal.domain.pricing import LineKind, Selection
from portal.domain.subscription_changes import Preview, Proration
from portal.web.formats import day, money, number


@dataclass(frozen=True)
class Difference:
    """One thing that changes."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Effect:
    """What `clients/_change.html` shows.

    `lines` lead to `adjustment`, what the change costs until the period ends; `totals` are today,
    next invoice and year. `gained` and `lost` are features, `counted_as` says that a field could
    not be read.
    """

    url: str
    is_change: bool
    differences: tuple[Difference, ...]
    lines: tuple[Line, ...]
    adjustment: Line
    totals: tuple[Line, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    notes: tuple[str, ...]
    counted_as: str


def effect(url: str, preview: Preview, *, wrong: bool) -> Effect:
    """The change as words and amounts. `wrong`: some field counts as what the client has."""
    return Effect(
        url=url,
        is_change=preview.is_change,
        differences=tuple(differences(preview.before, preview.after)),
        lines=tuple(_lines(preview)),
        adjustment=_adjustment(preview),
        totals=tuple(_totals(preview)),
        gained=_names(preview.gained),
        lost=_names(preview.lost),
        notes=tuple(_notes(preview)) if preview.is_change else (),
        counted_as=_("Until it is corrected, what could not be read counts as it is now.")
        if wrong
        else "",
    )


def differences(before: Selection, after: Selection) -> Iterator[Difference]:
    """What differs, in the order of the form."""
    named = (
        (_("Plan"), lambda it: _(it.plan.label)),
        (_("Billing cadence"), lambda it: _(it.cadence.label)),
        (_("Seats"), lambda it: number(it.seats)),
        (_("Added seats"), growth_of),
        (
            _("Additional storage"),
            lambda it: _("%(count)s GB", count=number(it.extra_storage_gb)),
        ),
    )
    for label, told in named:
        was, becomes = str(told(before)), str(told(after))
        if was != becomes:
            yield Difference(label, was, becomes)


def growth_of(selection: Selection) -> str:
    """Whether seats are added by themselves, and how far."""
    if not selection.autogrow:
        return str(_("Never added automatically"))
    if selection.seat_limit is None:
        return str(_("Added automatically, without limit"))
    return str(_("Added automatically, up to %(limit)s", limit=number(selection.seat_limit)))


def _names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    return tuple(str(_(feature.label)) for feature in features)


def _lines(preview: Preview) -> Iterator[Line]:
    for part in preview.prorations:
        yield Line(_label(preview, part), _detail(part), money(part.amount))
    if preview.discount:
        percent = percent_of(preview.discount.percent)
        yield Line(_("Discount"), percent, money(preview.discount.amount))
    if preview.tax:
        yield Line(preview.tax.label, percent_of(preview.tax.percent), money(preview.tax.amount))


def _label(preview: Preview, part: Proration) -> str:
    if part.line.kind is not LineKind.SEATS:
        return str(_("Additional storage"))
    plan = (preview.before if part.is_credit else preview.after).plan
    return seats_of(plan, part.line.quantity)


def _detail(part: Proration) -> str:
    counted = {"days": number(part.days), "all": number(part.of_days)}
    if part.is_credit:
        return str(_("credit for %(days)s of %(all)s days", **counted))
    if part.days == part.of_days:
        return str(_("the whole period"))
    return str(_("%(days)s of %(all)s days", **counted))


def _adjustment(preview: Preview) -> Line:
    until = _("Change until %(day)s", day=day(preview.period.end))
    return Line(until, "", money(preview.adjustment))


def _totals(preview: Preview) -> Iterator[Line]:
    yield Line(_("Today"), "", money(preview.invoiced_today))
    yield Line(_("Next invoice"), day(preview.period.end), money(preview.next_invoice))
    before = money(preview.per_year_before)
    detail = _("now %(amount)s", amount=before) if preview.is_change else ""
    yield Line(_("Per year"), detail, money(preview.per_year_after))


def _notes(preview: Preview) -> Iterator[str]:
    if preview.begins_period:
        yield _(
            "A new period begins today and ends on %(day)s. What is left of the current one is "
            "credited.",
            day=day(preview.period.end),
        )
    if preview.prorations:
        yield _invoicing(preview)
    if preview.next_invoice.cents < 0 or preview.invoiced_today.cents < 0:
        yield _("A credit that is larger than its invoice is carried over to the next one.")
    kept = {line.version for line in preview.lines} - {preview.price_list_version}
    if kept and preview.prorations:
        yield _(
            "Until %(day)s the prices stay those of price list %(version)s.",
            day=day(preview.period.end),
            version=", ".join(sorted(kept)),
        )


def _invoicing(preview: Preview) -> str:
    if preview.invoice_on != preview.today:
        on = day(preview.invoice_on)
        return str(_("The change is on the invoice of %(day)s; nothing is due today.", day=on))
    days = preview.after.net_days or 0
    text: str = ngettext(
        "The change is invoiced today, payable within %(count)s day.",
        "The change is invoiced today, payable within %(count)s days.",
        days,
        count=days,
    )
    return text
