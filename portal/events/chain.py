"""The hash chain of a log: each row's hash covers the row and the hash before it.

`portal/events/verifier.py` computes the same from its own code, so that whoever distrusts the
portal need not run it; a test holds the two together.
"""

import hashlib
import json
import uuid
from typing import Any

ANCHOR = b"portal event log, first row, version 1\x00"
ROW = b"portal event log, row, version 1\x00"
PART = b"portal event log, personal part, version 1\x00"
CHECKPOINT = b"portal event log, checkpoint, version 1\x00"
SUCCESSION = b"portal event log, next key, version 1\x00"


def canonical(payload: Any) -> str:
    """The one JSON text of a payload: keys sorted, no spaces, UTF-8 (RFC 8785 for our types)."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def anchor(stream_id: uuid.UUID) -> bytes:
    """What stands before the first row of a stream: 32 bytes that no other stream begins with."""
    return hashlib.sha256(ANCHOR + stream_id.bytes).digest()


def row_hash(previous: bytes, stream_id: uuid.UUID, seq: int, payload: str) -> bytes:
    """The hash of row `seq` (from 1) whose predecessor's hash is `previous`; 32 bytes."""
    text = payload.encode()
    place = stream_id.bytes + seq.to_bytes(8, "big")
    return hashlib.sha256(ROW + previous + place + text).digest()


def commitment(salt: bytes, part: str) -> str:
    """What the chain holds of a personal part: nobody finds the part from it without the salt."""
    return hashlib.sha256(PART + salt + part.encode()).hexdigest()


def checkpoint_message(stream_id: uuid.UUID, seq: int, row: bytes, purpose: str, at: str) -> bytes:
    """The bytes that a checkpoint signs. `at` is an ISO 8601 instant, `purpose` tip or archive."""
    place = stream_id.bytes + seq.to_bytes(8, "big")
    return CHECKPOINT + place + row + f"{purpose}\x00{at}".encode()


def succession_message(public_key: bytes) -> bytes:
    """The bytes with which a key says that `public_key` comes after it."""
    return SUCCESSION + public_key


def key_id(public_key: bytes) -> str:
    """The fingerprint of a checkpoint key: SHA-256 of its 32 bytes, in hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()
