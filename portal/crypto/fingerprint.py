"""Five words that stand for a public key, for two people to compare over another channel."""

import base64
import hashlib
import hmac
from functools import cache
from pathlib import Path

WORD_LIST = Path(__file__).parents[2] / "static" / "vendor" / "eff_large_wordlist.txt"
WORDS = 5


@cache
def _words() -> tuple[str, ...]:
    return tuple(WORD_LIST.read_text("ascii").split())


def fingerprint_phrase(account_id: str, public_key: str) -> str:
    """The phrase of an account's public key (SPKI DER in base64), words joined by `-`.

    The id is part of it, so that a key shown under another account has another phrase.
    Raises `ValueError` if `public_key` is not base64.
    """
    spki = base64.b64decode(public_key, validate=True)
    digest = hmac.digest(
        hashlib.sha256(spki).digest(), account_id.encode("ascii") + b"\x01", "sha256"
    )
    number, words = int.from_bytes(digest), _words()
    phrase = []
    for _ in range(WORDS):
        number, index = divmod(number, len(words))
        phrase.append(words[index])
    return "-".join(phrase)
