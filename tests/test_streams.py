"""Files that are sent while they are made, by a server that has forgotten that it only reads."""

from sqlalchemy import text

from portal.database import _read_only
from portal.extensions import db
from portal.web.streams import streamed


def test_each_part_is_read_without_the_lock_of_a_writer_and_given_back(app):
    seen = []

    def parts():
        for name in ("one", "two"):
            seen.append(_read_only.get())
            db.session.execute(text("select 1"))
            yield name

    with app.test_request_context("/"):
        assert not _read_only.get()
        assert list(streamed(parts())) == ["one", "two"]
        assert seen == [True, True]
        assert not db.session().in_transaction()
