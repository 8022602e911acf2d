"""A list of clients as a file: how its columns are called."""

from portal.domain import csv_lists
from portal.domain.client_import import FIELDS, LINES
from portal.domain.csv_lists import Listed, Shape
from portal.domain.errors import N_

NO_LINES = N_("There is no line with a client in it.")
# How a heading may call a column, folded; English and French.
_CALLED = {
    "name": (
        "organization name|organization|organisation|organisation name|name|client|client name"
        "|company|nom de l'organisation|nom|nom du client|entreprise|societe"
    ),
    "billing_email": (
        "billing e-mail|billing email|billing|invoice e-mail|invoice email"
        "|e-mail de facturation|email de facturation|adresse e-mail de facturation|facturation"
    ),
    "owner_email": (
        "client owner e-mail|client owner email|owner e-mail|owner email|owner"
        "|e-mail du proprietaire|email du proprietaire|e-mail du proprietaire du client"
        "|email du proprietaire du client|adresse e-mail du proprietaire"
        "|adresse e-mail du proprietaire du client|proprietaire"
    ),
    "plan": "plan|offre|formule|forfait",
    "seats": "seats|number of seats|places|nombre de places|licences",
    "autogrow": (
        "add seats automatically|grow|autogrow|automatic seats|ajouter des places automatiquement"
        "|ajout automatique de places|places automatiques|croissance"
    ),
    "seat_limit": "seat limit|limit|maximum seats|plafond de places|plafond|limite de places",
    "extra_storage_gb": (
        "additional storage (gb)|additional storage|storage|storage (gb)|extra storage"
        "|stockage supplementaire (go)|stockage supplementaire|stockage|stockage (go)"
    ),
    "cadence": (
        "billing cadence|cadence|billing period|rythme de facturation|periodicite"
        "|periodicite de facturation|frequence de facturation|cadence de facturation"
    ),
    "baseline": "baseline|socle",
}
SHAPE = Shape(FIELDS, _CALLED, least=2, most=LINES, empty=NO_LINES)


def read(text: str) -> Listed:
    """The clients of a list; raises `RuleError` where there are none, or too many."""
    return csv_lists.read(text, SHAPE)
