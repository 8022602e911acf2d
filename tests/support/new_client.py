"""The New client form as a browser without scripts sends it."""

import secrets


def new_client(name: str = "Acme Ltd", token: str = "", **changes: str) -> dict[str, str]:
    """Every field of a sound order; `token` is the rendered form's, which makes it one order."""
    return {
        "token": token or secrets.token_urlsafe(16),
        "name": name,
        "billing_email": "bills@acme.example",
        "owner_email": "olga@acme.example",
        "locale": "en",
        "plan": "teams",
        "cadence": "monthly",
        "seats": "5",
        "autogrow": "y",
        "seat_limit": "",
        "extra_storage_gb": "0",
        "payment": "invoice",
        "billing_name": "Acme Ltd",
        "address_line1": "2 Quay",
        "address_line2": "",
        "postal_code": "75002",
        "city": "Paris",
        "country": "FR",
        "vat_number": "",
        "purchase_order": "",
        "net_days": "30",
        "step": "create",
    } | changes
