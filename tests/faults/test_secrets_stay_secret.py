"""What opens something is long, lies nowhere as it is, and travels to nobody else."""

import contextlib
import re

from sqlalchemy import select

from portal.models import AuthSession
from portal.web.logs import configure_logs
from tests.support.accounts import make_person, newest_code, posted_keys, sign_in_as
from tests.support.browsing import Browser
from tests.support.databases import SECRET_KEY
from tests.support.organizations import OWNER, keys_for, make_place
from tests.support.tenants import everything


def dump(database):
    return "\n".join(row for rows in everything(database).values() for row in rows)


@contextlib.contextmanager
def talkative():
    """Everything that the portal would ever log."""
    configure_logs("DEBUG")
    try:
        yield
    finally:
        configure_logs("ERROR")


def token_of(browser):
    with browser.client.session_transaction() as cookie:
        return cookie["_user_id"]


def test_a_whole_way_in_leaves_no_secret_in_the_database_or_the_log(database, capfd):
    place = make_place(database)
    with talkative():
        secrets = a_way_in(database, place)
    stored, log = dump(database), "".join(capfd.readouterr())
    assert '"rule": "/invitations/<token>/join"' in log, "the log is there to be searched"
    assert str(place.owner_row) in stored
    assert [name for name, secret in secrets.items() if secret in stored] == []
    assert [name for name, secret in secrets.items() if secret in log] == []
    assert OWNER not in log
    assert "Olga" not in log


def a_way_in(database, place):
    """Join, unlock, sign in once more by code, set up a second factor; returns all secrets."""
    secrets = {"invitation": place.token(), "secret key": SECRET_KEY}
    owner = Browser(database.app)
    fields = posted_keys(keys_for(OWNER)) | {"name": "Olga"}
    owner.get(place.link())
    owner.post(f"{place.link()}/join", fields, status=303)
    secrets |= {"session": token_of(owner), "sign-in hash": fields["signin_hash"]}
    secrets["vault"] = owner.client.post(
        "/session/vault",
        data={"csrf_token": owner.csrf_token()},
        headers={"Accept": "application/json"},
    ).json["secret"]
    assert len(secrets["vault"]) == 44
    visitor = Browser(database.app)
    visitor.post("/sign-in/code", {"email": OWNER}, status=303)
    secrets["code"] = newest_code(database, OWNER)
    with visitor.client.session_transaction() as cookie:
        secrets["challenge"] = cookie["challenge"][1]
    visitor.post("/sign-in/code/enter", {"code": secrets["code"]}, status=303)
    secrets["second session"] = token_of(visitor)
    return secrets | second_factor(owner)


def second_factor(browser):
    """Set up an app; returns its secret and the recovery codes."""
    import pyotp  # noqa: PLC0415

    page = browser.get("/profile/second-factor")
    secret = re.sub(r"\s", "", page.text("[data-totp-secret], .code"))
    form = page.form(next(text for text in page.texts("main form button") if text))
    fields = {tag["name"]: tag.get("value", "") for tag in form.select("[name]")}
    shown = browser.post("/profile/second-factor", fields | {"code": pyotp.TOTP(secret).now()})
    codes = [text for text in shown.texts(".code, .code li, ol li, ul li") if len(text) >= 12]
    assert codes, shown
    return {"app": secret} | {f"recovery code {text}": text for text in codes[:20]}


def test_tokens_have_128_bits_at_least(database):
    place = make_place(database)
    token = sign_in_as(Browser(database.app), database, place.admin)
    assert len(token) * 6 >= 256
    # 160 bits of HMAC after the ids, which are no secret.
    assert len(place.token().rpartition(".")[2]) * 6 >= 128
    assert len({place.token(version=number) for number in range(1, 50)}) == 49


def test_every_bit_of_a_mailed_link_counts(database):
    place = make_place(database)
    token, browser = place.token(), Browser(database.app)
    browser.get(f"/invitations/{token}")
    # The last letter of a signature has bits that say nothing.
    for at in range(len(token) - 1):
        other = "A" if token[at] != "A" else "B"
        changed = token[:at] + other + token[at + 1 :]
        answer = browser.client.get(f"/invitations/{changed}")
        assert answer.status_code == 404, changed
    for cut in (token[:-1], token + "A", token.swapcase(), token.replace(".", "")):
        assert browser.client.get(f"/invitations/{cut}").status_code == 404


def test_pages_behind_a_mailed_link_are_kept_by_nobody_and_told_to_nobody(database):
    place = make_place(database)
    answer = Browser(database.app).get(place.link()).response
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert not re.findall(r'(?:href|src|action)="(?:https?:)?//', answer.text)


def test_signing_out_removes_the_secret_of_the_vault(database):
    ada = make_person(database, keys=True)
    browser = Browser(database.app)
    sign_in_as(browser, database, ada)
    browser.client.post("/session/vault", data={"csrf_token": browser.csrf_token()})
    assert database.one(select(AuthSession.vault_secret)) is not None
    browser.post("/sign-out", status=303)
    assert database.all(select(AuthSession)) == []
