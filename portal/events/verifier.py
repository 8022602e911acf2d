"""Check an exported event log without the portal.

    python3 -I -S verify_log.py FILE --key FINGERPRINT

FILE is a JSON Lines export of a log ("-" reads standard input). FINGERPRINT is that of the key
which signs checkpoints, written down from the log's page or `flask doctor` at a time when you
trusted the portal; several may be given. Exit status: 0 nothing is wrong, 1 something is, and the
first bad row is named, 2 the file or the command cannot be read, 3 nothing is wrong, but no
signature of a key you named covers the rows, so whoever made the file could have written them.

What is found: changed, inserted, removed or reordered rows; rows cut off at the end after a
checkpoint or at the beginning without a signed archive; changed personal data; checkpoints that are
forged or signed by a key you did not name. Erased personal data is counted and is no fault.
One file, the Python standard library only (3.8 or newer), no import of the portal.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import uuid
import zlib
from typing import Any, Callable, Dict, Iterable, Tuple

Point = Tuple[int, int, int, int]
Record = Dict[str, Any]

ANCHOR = b"portal event log, first row, version 1\x00"
ROW = b"portal event log, row, version 1\x00"
PART = b"portal event log, personal part, version 1\x00"
CHECKPOINT = b"portal event log, checkpoint, version 1\x00"
SUCCESSION = b"portal event log, next key, version 1\x00"

# Ed25519 (RFC 8032 section 5.1): the field, the curve's constant, the order and the base point.
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)


def add(one: Point, two: Point) -> Point:
    """The sum of two points in extended coordinates (RFC 8032 section 5.1.4)."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    """`scalar` times a point."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def equal(one: Point, two: Point) -> bool:
    """Whether two points are the same one."""
    if (one[0] * two[2] - two[0] * one[2]) % P:
        return False
    return (one[1] * two[2] - two[1] * one[2]) % P == 0


def recover_x(y: int, sign: int) -> int | None:
    """The x of a point from its y and x's lowest bit (section 5.1.3); None if there is none."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    if x2 % P == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def decode(encoded: bytes) -> Point | None:
    """The point of 32 bytes; None if they are none."""
    if len(encoded) != 32:
        return None
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = recover_x(_BASE_Y, 0) or 0
BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature is right (section 5.1.7)."""
    point = decode(public_key)
    if point is None or len(signature) != 64:
        return False
    r = decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    return equal(multiply(s, BASE), add(r, multiply(k, point)))


class Unreadable(Exception):
    """The file is not an export of an event log."""


class Bad(Exception):
    """Something is wrong with the log."""

    def __init__(self, stream: uuid.UUID | None, seq: int | None, text: str) -> None:
        where = f"stream {stream}" if stream else "the whole file"
        if seq is not None:
            where += f", row {seq}"
        super().__init__(f"{where}: {text}")
        self.stream = stream
        self.seq = seq
        self.text = text


class Chain:
    """What is known of one stream while its rows go by."""

    def __init__(self, stream: uuid.UUID, *, whole: bool, first: int) -> None:
        self.stream = stream
        self.whole = whole
        self.first = first
        self.seq = 0
        self.hash = hashlib.sha256(ANCHOR + stream.bytes).digest()
        self.wanted: dict[int, bytes] = {}
        self.signed = 0

    def expect(self, seq: int, digest: bytes, purpose: str) -> None:
        """Take a checkpoint: of a row to come, or of an archive that holds the rows before."""
        if seq < 1:
            raise Bad(self.stream, seq, "a checkpoint has no such row")
        if purpose == "archive" and self.seq == 0 and seq == self.first - 1:
            self.seq, self.hash, self.signed = seq, digest, seq
            return
        if seq <= self.seq:
            if seq == self.seq and digest != self.hash:
                raise Bad(self.stream, seq, "its hash is not the one that a checkpoint signed")
            return
        self.wanted.setdefault(seq, digest)
        if self.wanted[seq] != digest:
            raise Bad(self.stream, seq, "two checkpoints sign different hashes of it")
        self.signed = max(seq, self.signed)

    def row(self, record: Record) -> None:
        """Take the next row."""
        seq, payload = record["seq"], record["payload"]
        if self.whole and seq != self.seq + 1:
            what = "rows are missing before it" if seq > self.seq else "it is out of order"
            raise Bad(self.stream, self.seq + 1 if seq > self.seq else seq, what)
        if not self.whole:
            if seq <= self.seq:
                raise Bad(self.stream, seq, "it is out of order")
            previous = bytes.fromhex(record["previous"])
            if seq == self.seq + 1 and self.seq and previous != self.hash:
                raise Bad(self.stream, seq, "it does not follow the row before it")
            self.hash = previous
        place = self.stream.bytes + seq.to_bytes(8, "big")
        digest = hashlib.sha256(ROW + self.hash + place + payload.encode()).digest()
        if digest.hex() != record["hash"]:
            raise Bad(self.stream, seq, "it or a row before it was changed")
        if self.wanted.pop(seq, digest) != digest:
            raise Bad(self.stream, seq, "its hash is not the one that a checkpoint signed")
        self.seq, self.hash = seq, digest

    def end(self, last_seq: int | None, last_hash: str | None) -> None:
        """All rows have gone by."""
        if not self.whole:
            return
        late = [seq for seq in self.wanted if seq > self.seq]
        if late:
            raise Bad(self.stream, self.seq + 1, "rows were cut off that a checkpoint signed")
        if self.wanted:
            raise Bad(self.stream, min(self.wanted), "the row of a checkpoint is missing")
        if last_seq is not None and (last_seq, last_hash) != (self.seq, self.hash.hex()):
            raise Bad(self.stream, self.seq + 1, f"the log should end with row {last_seq}")


class Checker:
    """Takes the records of an export one after the other.

    `pinned` are the fingerprints of keys that may sign; `check` verifies a signature. With
    `pinned` None, whatever key is in the file is believed: the rows are then checked for mistakes,
    not against somebody who could write the whole file.
    """

    def __init__(
        self,
        pinned: Iterable[str] | None = None,
        check: Callable[[bytes, bytes, bytes], bool] = verify,
    ) -> None:
        self.pinned = None if pinned is None else {name.lower() for name in pinned}
        self.check = check
        self.keys: dict[str, bytes] = {}
        self.chains: dict[uuid.UUID, Chain] = {}
        self.whole = True
        self.first = 1
        self.rows = self.erased = self.checkpoints = 0
        self.ended = self.begun = False

    def take(self, record: Record) -> None:
        """One record. Raises `Bad` or `Unreadable`."""
        taker = getattr(self, f"take_{record.get('record')}", None)
        if taker is None:
            raise Unreadable("a line is no record of an event log")
        if not self.begun and record["record"] != "header":
            raise Unreadable("the file has no header")
        if self.ended:
            raise Unreadable("the file goes on after its end")
        try:
            taker(record)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Unreadable(f"a record is damaged: {error}") from error

    def take_header(self, record: Record) -> None:
        if self.begun or record["version"] != 1:
            raise Unreadable("this program reads version 1 of the export")
        self.begun = True
        self.whole = record["whole"] is True
        self.first = int(record.get("first", 1))

    def take_key(self, record: Record) -> None:
        public = bytes.fromhex(record["public_key"])
        name = hashlib.sha256(public).hexdigest()
        trusted = self.pinned is None or name in self.pinned
        before = self.keys.get(record.get("previous") or "")
        if not trusted and before is not None and record.get("endorsement"):
            signature = bytes.fromhex(record["endorsement"])
            trusted = self.check(before, signature, SUCCESSION + public)
        if trusted:
            self.keys[name] = public

    def take_checkpoint(self, record: Record) -> None:
        stream, seq = uuid.UUID(record["stream"]), record["seq"]
        public = self.keys.get(record["key"])
        if public is None:
            raise Bad(stream, seq, "its checkpoint is signed by a key that was not named")
        digest = bytes.fromhex(record["hash"])
        place = stream.bytes + seq.to_bytes(8, "big")
        said = f"{record['purpose']}\x00{record['at']}".encode()
        message = CHECKPOINT + place + digest + said
        if not self.check(public, bytes.fromhex(record["signature"]), message):
            raise Bad(stream, seq, "the signature of its checkpoint is wrong")
        self.checkpoints += 1
        self.chain(stream).expect(seq, digest, record["purpose"])

    def take_event(self, record: Record) -> None:
        stream = uuid.UUID(record["stream"])
        self.chain(stream).row(record)
        self.rows += 1
        payload = json.loads(record["payload"])
        self.people(stream, record["seq"], payload, record.get("personal") or {})
        for name, value in (record.get("columns") or {}).items():
            if value != self.told(payload, name):
                raise Bad(stream, record["seq"], f"its column {name} was changed")

    def told(self, payload: Record, name: str) -> Any:
        """What the payload says that a column repeats."""
        return payload.get({"actor_id": "account"}.get(name, name))

    def people(self, stream: uuid.UUID, seq: int, payload: Record, personal: Record) -> None:
        """The personal parts beside the chain: as committed to, or erased."""
        commitments = payload.get("personal") or {}
        if set(personal) - set(commitments):
            raise Bad(stream, seq, "personal data was added to it")
        gone = False
        for name, wanted in commitments.items():
            part = personal.get(name)
            if part is None:
                gone = True
                continue
            text = PART + bytes.fromhex(part["salt"]) + part["text"].encode()
            if hashlib.sha256(text).hexdigest() != wanted:
                raise Bad(stream, seq, "its personal data was changed")
        self.erased += gone

    def take_stream_end(self, record: Record) -> None:
        stream = uuid.UUID(record["stream"])
        self.chain(stream).end(record["last_seq"], record["last_hash"])

    def take_end(self, record: Record) -> None:
        if record["rows"] != self.rows:
            raise Bad(None, None, f"{self.rows} rows, not {record['rows']}")
        self.finish()

    def finish(self) -> None:
        """Nothing comes any more."""
        for chain in self.chains.values():
            chain.end(None, None)
        self.ended = True

    def is_unsigned(self) -> bool:
        """Whether a signature covers none of the rows of a log; only whole logs have any.

        Somebody who leaves the checkpoints out can compute every hash anew.
        """
        if not self.whole or not self.chains:
            return True
        return any(not chain.signed for chain in self.chains.values())

    def chain(self, stream: uuid.UUID) -> Chain:
        """The chain of a stream."""
        if stream not in self.chains:
            self.chains[stream] = Chain(stream, whole=self.whole, first=self.first)
        return self.chains[stream]


def check_lines(lines: Iterable[bytes], pinned: Iterable[str] | None) -> Checker:
    """Check an export; returns the checker. Raises `Bad` or `Unreadable`."""
    checker = Checker(pinned)
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError as error:
            raise Unreadable(f"a line is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise Unreadable("a line is no record of an event log")
        checker.take(record)
    if not checker.ended:
        raise Unreadable("the file has no end; it was cut off, perhaps while it was loaded")
    return checker


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Check an exported event log offline.")
    parser.add_argument("file", help='the JSON Lines export or an archive, "-" for standard input')
    parser.add_argument(
        "--key",
        action="append",
        metavar="FINGERPRINT",
        help="the fingerprint of a key that may sign checkpoints; may be given again",
    )
    chosen = parser.parse_args(arguments)
    pinned = chosen.key and ["".join(c for c in key if c.isalnum()) for key in chosen.key]
    try:
        if chosen.file == "-":
            checker = check_lines(sys.stdin.buffer, pinned)
        else:
            # Archives are packed; they are read as they lie there.
            opens = gzip.open if chosen.file.endswith(".gz") else open
            with opens(chosen.file, "rb") as file:
                checker = check_lines(file, pinned)
    except Bad as fault:
        print(f"BAD  {fault}")
        return 1
    except (OSError, EOFError, zlib.error, Unreadable) as fault:
        print(f"Cannot check: {fault}", file=sys.stderr)
        return 2
    is_unproved = pinned is not None and checker.is_unsigned()
    report(checker, is_pinned=pinned is not None, verdict="UNPROVED" if is_unproved else "GOOD")
    return 3 if is_unproved else 0


def report(checker: Checker, *, is_pinned: bool, verdict: str) -> None:
    """Say what was checked, and how far it proves something."""
    counted = f"{checker.rows} rows, {checker.checkpoints} checkpoints"
    print(f"{verdict} {counted}, personal data erased in {checker.erased} rows.")
    if not is_pinned:
        print("No --key was given: the keys in the file were believed. Pin one to prove more.")
    if not checker.whole:
        print(
            "This is a filtered export: each row fits its own hash, but no signature covers it, and"
            " others may be missing. Only the whole log can be proved."
        )
        return
    if not checker.rows:
        print("There are no rows.")
    for stream, chain in checker.chains.items():
        if chain.signed < chain.seq:
            print(f"Stream {stream}: no checkpoint signs the rows after {chain.signed} yet.")


if __name__ == "__main__":
    sys.exit(main())
