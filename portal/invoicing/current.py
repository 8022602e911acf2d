"""The tariff that counts in this process."""

from flask import current_app

from portal.invoicing.tariff import Tariff, tariff


def the_tariff() -> Tariff:
    """The tariff by the settings' price list."""
    return tariff(current_app.extensions["settings"].prices)
