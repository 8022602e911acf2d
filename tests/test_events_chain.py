"""The chain: whatever is done to a log behind the portal's back is found, and the row named."""

import datetime as dt
import threading
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from portal.events import Stream, checkpoints, erase, record
from portal.events.chain import anchor, canonical, checkpoint_message, key_id, row_hash
from portal.models import Event, EventCheckpoint, EventKey, EventPerson, EventStream, new_id
from tests.support.clients import make_client, make_provider
from tests.support.eventlog import check, fill, person, sign, unguarded

ROWS = 6


@pytest.fixture
def log(database):
    """A log of six rows, signed after the fourth and the last."""
    client = make_client(database, make_provider(database))
    stream = Stream("organization", client.id)
    fill(database, stream, person(), ROWS - 2)
    sign(database, client.id)
    fill(database, stream, person("Bo Lind", "bo@northwind.example"), 2)
    sign(database, client.id)
    return stream


def row(session, stream, seq):
    return session.get_one(Event, (stream.id, seq))


def at(stream, seq):
    return (Event.stream_id == stream.id) & (Event.seq == seq)


def test_a_log_that_nobody_touched_is_good(database, log):
    found = check(database, log)
    assert (found.fault, found.rows, found.checkpoints, found.erased) == ("", ROWS, 2, 0)


def test_each_row_is_chained_to_the_one_before_from_an_anchor_of_its_own(database, log):
    rows = database.all(select(Event).where(Event.stream_id == log.id).order_by(Event.seq))
    last = anchor(log.id)
    for number, each in enumerate(rows, 1):
        assert each.seq == number
        assert each.hash == row_hash(last, log.id, number, each.payload)
        last = each.hash
    end = database.one(select(EventStream).where(EventStream.stream_id == log.id))
    assert (end.last_seq, end.last_hash) == (ROWS, last)
    assert anchor(log.id) != anchor(uuid.uuid4())


# What somebody who owns the database may try, and the first row that is bad then.


def edit_payload(session, stream):
    old = row(session, stream, 3).payload
    session.execute(update(Event).where(at(stream, 3)).values(payload=old.replace("user", "admin")))
    return 3


def edit_payload_and_hash(session, stream):
    changed = row(session, stream, 3).payload.replace("user", "owner")
    forged = row_hash(row(session, stream, 2).hash, stream.id, 3, changed)
    session.execute(update(Event).where(at(stream, 3)).values(payload=changed, hash=forged))
    return 4


def edit_last_row_and_everything_that_repeats_it(session, stream):
    changed = row(session, stream, ROWS).payload.replace("user", "owner")
    forged = row_hash(row(session, stream, ROWS - 1).hash, stream.id, ROWS, changed)
    session.execute(update(Event).where(at(stream, ROWS)).values(payload=changed, hash=forged))
    session.execute(
        update(EventStream).where(EventStream.stream_id == stream.id).values(last_hash=forged)
    )
    return ROWS


def edit_type(session, stream):
    session.execute(update(Event).where(at(stream, 2)).values(type="organization:member:accept"))
    return 2


def edit_time(session, stream):
    moved = row(session, stream, 2).at - dt.timedelta(days=1)
    session.execute(update(Event).where(at(stream, 2)).values(at=moved))
    return 2


def edit_actor(session, stream):
    session.execute(update(Event).where(at(stream, 5)).values(actor_id=new_id()))
    return 5


def edit_personal_data(session, stream):
    found = session.get_one(EventPerson, (stream.id, 2))
    found.actor = found.actor.replace("Ada", "Eve")
    return 2


def edit_what_is_told_of_others(session, stream):
    found = session.get_one(EventPerson, (stream.id, 2))
    found.about = canonical({"email": "eve@evil.example"})
    return 2


def swap_personal_data(session, stream):
    one, other = (session.get_one(EventPerson, (stream.id, seq)) for seq in (2, 3))
    one.about, other.about = other.about, one.about
    one.about_salt, other.about_salt = other.about_salt, one.about_salt
    return 2


def insert_a_row_at_the_end(session, stream):
    last = row(session, stream, ROWS)
    forged = row_hash(last.hash, stream.id, ROWS + 1, last.payload)
    session.execute(insert(Event).values(_like(last, seq=ROWS + 1, hash=forged)))
    return ROWS + 1


def insert_a_row_between(session, stream):
    for seq in range(ROWS, 3, -1):
        session.execute(update(Event).where(at(stream, seq)).values(seq=seq + 1))
    session.execute(insert(Event).values(_like(row(session, stream, 3), seq=4)))
    return 4


def remove_a_row(session, stream):
    session.execute(delete(Event).where(at(stream, 3)))
    return 3


def remove_the_first_rows(session, stream):
    session.execute(delete(Event).where(Event.stream_id == stream.id, Event.seq <= 2))
    return 1


def remove_the_first_rows_up_to_a_checkpoint(session, stream):
    session.execute(delete(Event).where(Event.stream_id == stream.id, Event.seq <= 4))
    return 1


def say_that_the_first_rows_are_archived(session, stream):
    tip = session.get_one(EventCheckpoint, (stream.id, 4, "tip"))
    tip.purpose = "archive"
    remove_the_first_rows_up_to_a_checkpoint(session, stream)
    return 4


def remove_a_row_and_close_the_gap(session, stream):
    session.execute(delete(Event).where(at(stream, 3)))
    for seq in range(4, ROWS + 1):
        session.execute(update(Event).where(at(stream, seq)).values(seq=seq - 1))
    return 3


def swap_two_rows(session, stream):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        session.execute(update(Event).where(at(stream, old)).values(seq=new))
    return 2


def cut_off_the_end(session, stream):
    session.execute(delete(Event).where(at(stream, ROWS)))
    last = row(session, stream, ROWS - 1)
    session.execute(
        update(EventStream)
        .where(EventStream.stream_id == stream.id)
        .values(last_seq=last.seq, last_hash=last.hash)
    )
    return ROWS


def cut_off_the_end_clumsily(session, stream):
    session.execute(delete(Event).where(at(stream, ROWS)))
    return ROWS


def empty_the_log(session, stream):
    session.execute(delete(Event).where(Event.stream_id == stream.id))
    session.execute(
        update(EventStream)
        .where(EventStream.stream_id == stream.id)
        .values(last_seq=0, last_hash=None)
    )
    return 1


def write_the_whole_log_anew(session, stream):
    last = anchor(stream.id)
    for seq in range(1, ROWS + 1):
        payload = row(session, stream, seq).payload.replace("user", "owner")
        last = row_hash(last, stream.id, seq, payload)
        session.execute(update(Event).where(at(stream, seq)).values(payload=payload, hash=last))
    session.execute(
        update(EventStream).where(EventStream.stream_id == stream.id).values(last_hash=last)
    )
    return 4


def write_the_whole_log_anew_and_sign_it(session, stream):
    write_the_whole_log_anew(session, stream)
    session.expire_all()
    _sign_with_a_key_of_ones_own(session, stream, Ed25519PrivateKey.generate())
    return ROWS


def forge_a_checkpoint(session, stream):
    session.get_one(EventCheckpoint, (stream.id, ROWS, "tip")).signature = bytes(64)
    return ROWS


def move_a_checkpoint(session, stream):
    found = session.get_one(EventCheckpoint, (stream.id, 4, "tip"))
    found.hash, found.seq = row(session, stream, 5).hash, 5
    return 5


def _like(old, **changes):
    names = ("stream_id", "seq", "id", "at", "type", "actor_id", "payload", "hash")
    return {name: getattr(old, name) for name in names} | changes


def _sign_with_a_key_of_ones_own(session, stream, private):
    """What who owns the database, but not the server's secret, can do best."""
    public = private.public_key().public_bytes_raw()
    ours = session.scalars(select(EventKey)).one()
    session.add(EventKey(id=key_id(public), public_key=public, private_key=ours.private_key))
    session.flush()
    session.execute(delete(EventCheckpoint).where(EventCheckpoint.stream_id == stream.id))
    last = session.get_one(Event, (stream.id, ROWS))
    message = checkpoint_message(stream.id, ROWS, last.hash, "tip", checkpoints.told_at(last.at))
    session.add(
        EventCheckpoint(
            stream_id=stream.id,
            seq=ROWS,
            hash=last.hash,
            at=last.at,
            key_id=key_id(public),
            signature=private.sign(message),
        )
    )


TAMPERING = [
    edit_payload,
    edit_payload_and_hash,
    edit_last_row_and_everything_that_repeats_it,
    edit_type,
    edit_time,
    edit_actor,
    edit_personal_data,
    edit_what_is_told_of_others,
    swap_personal_data,
    insert_a_row_at_the_end,
    insert_a_row_between,
    remove_a_row,
    remove_the_first_rows,
    remove_the_first_rows_up_to_a_checkpoint,
    say_that_the_first_rows_are_archived,
    remove_a_row_and_close_the_gap,
    swap_two_rows,
    cut_off_the_end,
    cut_off_the_end_clumsily,
    empty_the_log,
    write_the_whole_log_anew,
    write_the_whole_log_anew_and_sign_it,
    forge_a_checkpoint,
    move_a_checkpoint,
]


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda each: each.__name__)
def test_tampering_is_found(database, log, tamper):
    with unguarded(database) as session:
        expected = tamper(session, log)
    found = check(database, log)
    assert found.fault
    assert found.seq == expected, found.fault


@pytest.mark.parametrize("change", [edit_type, remove_a_row], ids=["update", "delete"])
def test_the_database_itself_refuses(database, log, change):
    with (
        pytest.raises(DBAPIError, match=r"never changed|archived before"),
        database.session() as session,
    ):
        change(session, log)


# Erasing


def test_an_erased_person_is_gone_and_the_chain_still_proves_the_rest(database, log):
    ada = database.one(select(Event.actor_id).where(at(log, 1)))
    with database.session() as session:
        assert erase(session, ada) == ROWS - 2
    rows = database.all(select(EventPerson).where(EventPerson.stream_id == log.id))
    assert not any("Ada" in f"{each.actor}{each.words}" for each in rows)
    assert "Bo Lind" in "".join(str(each.actor) for each in rows)
    assert "member0@acme.example" in "".join(str(each.about) for each in rows)
    found = check(database, log)
    assert (found.fault, found.rows, found.erased) == ("", ROWS + 1, ROWS - 2)
    erased = database.one(select(Event.payload).where(at(log, ROWS + 1)))
    assert f'"rows":{ROWS - 2}' in erased


def test_what_others_wrote_about_an_erased_person_goes_too(database, log):
    olga = person("Olga", "MEMBER1@acme.example")
    account = Stream("account", olga.account_id)
    with database.session() as session:
        record(session, olga, "account:session:begin", streams=[account], method="password")
    with database.session() as session:
        erase(session, olga.account_id)
    told = database.all(select(EventPerson.about).where(EventPerson.stream_id == log.id))
    assert "member1@acme.example" not in str(told)
    assert "member2@acme.example" in str(told)
    assert check(database, log).fault == ""
    assert check(database, account).fault == ""


def test_after_erasing_one_row_an_edit_of_another_is_still_found(database, log):
    with database.session() as session:
        erase(session, database.one(select(Event.actor_id).where(at(log, 1))))
    with unguarded(database) as session:
        edit_what_is_told_of_others(session, log)
    assert check(database, log).seq == 2


# Concurrency


@pytest.mark.committed
@pytest.mark.parametrize("time", range(3))
def test_rows_that_many_write_at_once_stand_in_one_gapless_chain(committed, time):
    provider = make_provider(committed)
    clients = [make_client(committed, provider, f"Client {number}") for number in range(2)]
    streams = [Stream("organization", client.id) for client in clients]
    shared = Stream("provider", provider.id)
    faults = []

    def work(stream):
        try:
            for number in range(8):
                with committed.session() as session:
                    record(
                        session,
                        person(),
                        "organization:member:invite",
                        streams=[stream, shared],
                        email=f"m{number}@acme.example",
                        role="user",
                    )
        except Exception as fault:  # noqa: BLE001
            faults.append(fault)

    threads = [threading.Thread(target=work, args=[streams[n % 2]]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for stream, rows in ((streams[0], 24), (streams[1], 24), (shared, 48)):
        sign(committed, stream.id)
        found = check(committed, stream)
        assert (found.fault, found.rows) == ("", rows)
    ids = committed.all(select(Event.id).where(Event.stream_id == shared.id).order_by(Event.seq))
    assert ids == sorted(ids)
