"""The stand-alone verifier: what it accepts and finds, and that it needs nothing but Python."""

import hashlib
import json
import subprocess
import sys
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from portal.events import Stream, erase, signing, verifier
from portal.events.signing import is_signed
from portal.models import Event
from tests.support.clients import make_client, make_provider
from tests.support.eventlog import KEYS, exported, fill, fingerprint, person, sign
from tests.support.project import ROOT

ROWS = 5
PROGRAM = ROOT / "portal/events/verifier.py"

# RFC 8032 section 7.1, TEST 1 to TEST 3: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.fixture
def log(database):
    client = make_client(database, make_provider(database))
    stream = Stream("organization", client.id)
    fill(database, stream, person(), ROWS - 1)
    sign(database, client.id)
    fill(database, stream, person(), 1)
    return stream


def run(tmp_path, text, *keys):
    """The program as somebody runs it who has nothing of ours but the file."""
    file = tmp_path / "events.jsonl"
    file.write_text(text, encoding="utf-8")
    options = [word for key in keys for word in ("--key", key)]
    return subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), str(file), *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={},
    )


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def lines(found):
    return "".join(json.dumps(record) + "\n" for record in found)


def test_an_export_is_good_for_who_wrote_the_fingerprint_down(database, log, tmp_path):
    done = run(tmp_path, exported(database, log), fingerprint(database))
    assert done.returncode == 0, done.stderr
    assert f"GOOD {ROWS} rows, 1 checkpoints" in done.stdout
    assert f"no checkpoint signs the rows after {ROWS - 1} yet" in done.stdout


def test_without_a_pinned_key_it_says_how_little_that_proves(database, log, tmp_path):
    done = run(tmp_path, exported(database, log))
    assert done.returncode == 0
    assert "No --key was given" in done.stdout


def test_a_key_that_was_not_pinned_signs_nothing(database, log, tmp_path):
    done = run(tmp_path, exported(database, log), "ab" * 32)
    assert done.returncode == 1
    assert "signed by a key that was not named" in done.stdout


def test_who_pinned_the_old_key_can_trust_the_one_it_endorsed(database, log, tmp_path):
    old = fingerprint(database)
    with database.session() as session:
        signing.rotate(session, KEYS)
    sign(database, log.id)
    text = exported(database, log)
    assert run(tmp_path, text, old).returncode == 0
    found = records(text)
    newest = [record for record in found if record["record"] == "key"][-1]
    newest["endorsement"] = "00" * 64
    assert "not named" in run(tmp_path, lines(found), old).stdout


def test_an_erased_person_is_no_fault(database, log, tmp_path):
    with database.session() as session:
        actor = session.scalars(select(Event.actor_id).where(Event.stream_id == log.id)).first()
        erase(session, actor)
    done = run(tmp_path, exported(database, log), fingerprint(database))
    assert done.returncode == 0
    assert f"personal data erased in {ROWS - 1} rows" in done.stdout
    assert "Ada" in exported(database, log)


def event_lines(found):
    return [number for number, record in enumerate(found) if record["record"] == "event"]


def edit(found):
    record = found[event_lines(found)[1]]
    record["payload"] = record["payload"].replace("user", "owner")
    return 2


def edit_person(found):
    part = found[event_lines(found)[1]]["personal"]["actor"]
    part["text"] = part["text"].replace("Ada", "Eve")
    return 2


def add_person(found):
    record = found[event_lines(found)[1]]
    record["personal"]["other"] = record["personal"]["actor"]
    return 2


def leave_out(found):
    del found[event_lines(found)[1]]
    return 2


def swap(found):
    one, two = event_lines(found)[1:3]
    found[one], found[two] = found[two], found[one]
    return 2


def cut(found):
    for number in reversed(event_lines(found)[2:]):
        del found[number]
    found[-2] |= {"last_seq": 2, "last_hash": found[event_lines(found)[-1]]["hash"]}
    found[-1]["rows"] = 2
    return 3


def forge(found):
    next(each for each in found if each["record"] == "checkpoint")["signature"] = "11" * 64
    return ROWS - 1


def promise_an_archive(found):
    for number in reversed(event_lines(found)[:2]):
        del found[number]
    found[0]["first"] = 3
    return 1


@pytest.mark.parametrize(
    "tamper", [edit, edit_person, add_person, leave_out, swap, cut, forge, promise_an_archive]
)
def test_a_file_that_was_tampered_with_is_bad_and_the_row_is_named(database, log, tmp_path, tamper):
    found = records(exported(database, log))
    row = tamper(found)
    done = run(tmp_path, lines(found), fingerprint(database))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{log.id}, row {row}:" in done.stdout


def no_checkpoint(found):
    return [each for each in found if each["record"] != "checkpoint"]


def nothing_but_the_frame(found):
    return [found[0], {"record": "end", "rows": 0}]


def told_to_be_filtered(found):
    before = "00" * 32
    for record in found:
        if record["record"] == "event":
            record["previous"], before = before, record["hash"]
    found[0]["whole"] = False
    first = found[event_lines(found)[0]]
    anchor = verifier.ANCHOR + uuid.UUID(first["stream"]).bytes
    first["previous"] = hashlib.sha256(anchor).hexdigest()
    return found


@pytest.mark.parametrize("strip", [no_checkpoint, nothing_but_the_frame, told_to_be_filtered])
def test_a_file_whose_rows_no_named_key_signed_is_not_called_good(database, log, tmp_path, strip):
    stripped = strip(records(exported(database, log)))
    done = run(tmp_path, lines(stripped), fingerprint(database))
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("UNPROVED ")


@pytest.mark.parametrize(
    "text", ["", "nothing\n", "[]\n", '{"record": "event"}\n', '{"record": "x"}\n', "\x00"]
)
def test_what_is_no_export_cannot_be_read(tmp_path, text):
    done = run(tmp_path, text)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Cannot check" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_was_cut_while_it_was_loaded_cannot_be_read(database, log, tmp_path):
    text = exported(database, log)
    done = run(tmp_path, "".join(text.splitlines(keepends=True)[:-1]), fingerprint(database))
    assert done.returncode == 2
    assert "has no end" in done.stderr


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_are_right_and_changed_ones_are_not(public, message, signature):
    key, said, signed = (bytes.fromhex(text) for text in (public, message, signature))
    assert verifier.verify(key, signed, said)
    assert is_signed(key, signed, said)
    for wrong in (
        (key, signed, said + b"x"),
        (key, signed[:-1] + bytes([signed[-1] ^ 1]), said),
        (key, bytes([signed[0] ^ 1]) + signed[1:], said),
        (key[::-1], signed, said),
        (key, signed[:32] + b"\xff" * 32, said),
        (key, signed[:-1], said),
        (key[:-1], signed, said),
    ):
        assert not verifier.verify(*wrong)
        assert not is_signed(*wrong)


def test_the_two_ways_to_verify_agree_on_new_signatures():
    for number in range(5):
        private = Ed25519PrivateKey.generate()
        message = bytes([number]) * number
        public = private.public_key().public_bytes_raw()
        assert verifier.verify(public, private.sign(message), message)


def test_it_imports_nothing_of_ours_and_nothing_of_others():
    imported = [
        line.split()[1].split(".")[0]
        for line in PROGRAM.read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert set(imported) <= set(sys.stdlib_module_names)
