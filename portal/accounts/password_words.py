"""The rules of master passwords as a page and its browser get them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.password_rules import Demand, checks, token
from portal.web.forms import sentence


@dataclass(frozen=True)
class PasswordRules:
    """`texts` are for people, `json` and `token` for the module that checks."""

    texts: list[str]
    checks: list[tuple[str, int, str]]
    token: str

    @property
    def json(self) -> str:
        return json.dumps(self.checks, ensure_ascii=False)

    @property
    def answer(self) -> dict[str, Any]:
        """For a module that has the password at hand."""
        return {"checks": self.checks, "token": self.token}


def rules(found: Sequence[Demand]) -> PasswordRules:
    """In the reader's language."""
    told = [(each.what, each.least, sentence(each.sentence)) for each in checks(found)]
    return PasswordRules([text for _what, _least, text in told], told, token(found))
