"""The browser's cryptography in a real Chromium, held to the vectors and to the Python twin."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from portal.crypto import envelope, fingerprint, kdf, keys, recovery
from tests.browser.vault_server import VaultServer

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors.json").read_text("utf-8")
)
USER_KEY = envelope.SymmetricKey.from_raw(bytes.fromhex(VECTORS["user_key"]))

HELPERS = """
const { kdf, envelope, keys, fingerprint, recovery } = Object.fromEntries(await Promise.all(
  ["kdf", "envelope", "keys", "fingerprint", "recovery"].map(
    async (name) => [name, await import(`/static/js/crypto/${name}.js`)])));
const { fromBase64, toBase64 } = await import("/static/js/crypto/bytes.js");
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const refused = async (promise) => {
  try { await promise; return null; } catch (error) { return error.constructor.name; }
};
"""


@pytest.fixture(scope="module")
def server() -> Iterator[VaultServer]:
    with VaultServer() as running:
        yield running


@pytest.fixture
def run(server: VaultServer, page: Page) -> Any:
    """Runs the body of an async function in a page of the portal, with the modules at hand."""
    page.goto(server.url("/blank"))

    def evaluate(body: str, argument: Any = None) -> Any:
        return page.evaluate(f"async (v) => {{ {HELPERS} {body} }}", argument)

    return evaluate


def test_the_derivation_matches_the_vectors(run: Any) -> None:
    got = run(
        """const master = await kdf.deriveMasterKey(
             v.email, v.password, { kdf: "pbkdf2-sha256", iterations: 600000 });
           return { email: kdf.normalizeEmail(v.email), master: hex(master),
             stretched: hex(await kdf.stretch(master)),
             hash: await kdf.signinHash(master, v.password) };""",
        VECTORS["input"],
    )
    expected = VECTORS["pbkdf2_600000"]
    assert got == {
        "email": VECTORS["input"]["normalized"],
        "master": expected["master_key"],
        "stretched": expected["stretched_enc"] + expected["stretched_mac"],
        "hash": expected["server_hash_b64"],
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"kdf": "pbkdf2-sha256", "iterations": 599_999},
        {"kdf": "pbkdf2-sha256", "iterations": 2_000_001},
        {"kdf": "pbkdf2-sha256", "iterations": 1},
        {"kdf": "pbkdf2-sha256", "iterations": "600000"},
        {"kdf": "pbkdf2-sha256"},
        {"kdf": "md5", "iterations": 600_000},
    ],
)
def test_parameters_out_of_bounds_are_refused_before_deriving(run: Any, parameters: Any) -> None:
    got = run(
        """let derived = 0;
           crypto.subtle.deriveBits = async () => { derived += 1; return new ArrayBuffer(32); };
           return [await refused(kdf.deriveMasterKey("a@example.com", "password", v)), derived];""",
        parameters,
    )
    assert got == ["KdfParametersRefused", 0]


def test_sealing_gives_the_strings_of_the_vectors_and_opens_them(run: Any) -> None:
    chain = VECTORS["provider_chain"]
    cases = [
        (VECTORS["type2_hello"], b"Hello, vault!".hex(), VECTORS["user_key"]),
        (VECTORS["type2_empty"], "", VECTORS["user_key"]),
        (
            VECTORS["protected_user_key_type2"],
            VECTORS["user_key"],
            VECTORS["pbkdf2_600000"]["stretched_enc"] + VECTORS["pbkdf2_600000"]["stretched_mac"],
        ),
        (
            chain["org_key_wrapped_by_provider_key_type2"],
            chain["org_key_hex"],
            chain["provider_key_hex"],
        ),
    ]
    for sealed, clear, key in cases:
        got = run(
            """const key = await envelope.importKey(bytes(v.key));
               return [hex(await envelope.open(v.sealed, key)),
                 await envelope.seal(bytes(v.clear), key, bytes(v.iv))];""",
            {"sealed": sealed, "clear": clear, "key": key, "iv": VECTORS["iv"]},
        )
        assert got == [clear, sealed]


def test_a_changed_string_is_refused_without_decrypting(run: Any) -> None:
    parts = [base64.b64decode(part) for part in VECTORS["type2_hello"][2:].split("|")]
    changed = []
    for at in range(3):
        copy = list(parts)
        copy[at] = bytes([copy[at][0] ^ 1]) + copy[at][1:]
        changed.append("2." + "|".join(base64.b64encode(part).decode() for part in copy))
    got = run(
        """const key = await envelope.importKey(bytes(v.key));
           let decrypted = 0;
           crypto.subtle.decrypt = async () => { decrypted += 1; return new ArrayBuffer(0); };
           const names = [];
           for (const text of v.changed) names.push(await refused(envelope.open(text, key)));
           return [names, decrypted];""",
        {"key": VECTORS["user_key"], "changed": [*changed, "", "hello", VECTORS["type0_hello"]]},
    )
    assert got == [["CannotOpen"] * 6, 0]


def test_imported_keys_cannot_be_exported(run: Any) -> None:
    got = run(
        """const key = await envelope.importKey(bytes(v.user_key));
           const own = await keys.importPrivateKey(fromBase64(v.rsa.private_pkcs8_b64));
           return [key.enc.extractable, key.mac.extractable, own.extractable];""",
        VECTORS,
    )
    assert got == [False, False, False]


def test_the_wrapped_private_key_opens_the_type_4_string_of_the_vectors(run: Any) -> None:
    got = run(
        """const key = await envelope.importKey(bytes(v.user_key));
           const pkcs8 = await envelope.open(v.rsa.private_wrapped_with_user_key_type2, key);
           const own = await keys.importPrivateKey(pkcs8);
           return [toBase64(pkcs8), hex(await keys.unwrap(v.rsa.org_key_T4.wrapped, own)),
             await refused(keys.unwrap("4.AAAA", own)),
             await refused(keys.unwrap(`4.${"A".repeat(342)}==`, own))];""",
        VECTORS,
    )
    rsa = VECTORS["rsa"]
    assert got == [
        rsa["private_pkcs8_b64"],
        rsa["org_key_T4"]["plain_hex"],
        "CannotOpen",
        "CannotOpen",
    ]


def test_the_phrase_and_the_recovery_code_match_the_vectors(run: Any) -> None:
    got = run(
        """const { code, wrapped_provider_key: wrapped } = v.recovery;
           return [
             await fingerprint.fingerprintPhrase(v.fingerprint.user_id, v.rsa.public_spki_b64),
             recovery.newCode(bytes(v.recovery.secret_hex)),
             hex(await recovery.openWithCode(wrapped, code.toLowerCase().replaceAll("0", "o"))),
             await refused(recovery.openWithCode(wrapped, recovery.newCode())),
             await refused(recovery.openWithCode(wrapped, "nonsense")),
           ];""",
        VECTORS,
    )
    assert got == [
        VECTORS["fingerprint"]["phrase"],
        VECTORS["recovery"]["code"],
        VECTORS["provider_chain"]["provider_key_hex"],
        "CannotOpen",
        "CannotOpen",
    ]


def test_python_opens_what_the_browser_makes(run: Any) -> None:
    made = run(
        """const master = await kdf.deriveMasterKey(
             "ada@example.com", "pässword ☃ long", { kdf: kdf.KDF, iterations: kdf.ITERATIONS });
           const user = envelope.newKey();
           const key = await envelope.importKey(user);
           const pair = await keys.newKeyPair();
           const code = recovery.newCode();
           return { user: hex(user), publicKey: pair.publicKey, code,
             protectedKey: await envelope.seal(
               user, await envelope.importKey(await kdf.stretch(master))),
             privateKey: await envelope.seal(pair.privateKey, key),
             name: await envelope.seal("Über ☃ 私", key),
             wrapped: await keys.wrapFor(pair.publicKey, user),
             sheet: await recovery.wrapWithCode(user, code),
             phrase: await fingerprint.fingerprintPhrase("someone", pair.publicKey) };"""
    )
    opened = keys.open_user_key(
        made["protectedKey"], "ada@example.com", "pässword ☃ long", kdf.ITERATIONS
    )
    assert opened.raw.hex() == made["user"]
    private = envelope.unseal(made["privateKey"], opened)
    assert keys.unwrap(made["wrapped"], private) == opened.raw
    assert keys.is_public_key(made["publicKey"])
    assert envelope.unseal(made["name"], opened).decode() == "Über ☃ 私"
    assert recovery.open_with_code(made["sheet"], made["code"]) == opened
    assert fingerprint.fingerprint_phrase("someone", made["publicKey"]) == made["phrase"]


def test_the_browser_opens_what_python_makes(run: Any) -> None:
    public, private = keys.new_key_pair()
    got = run(
        """const key = await envelope.importKey(bytes(v.key));
           const own = await keys.importPrivateKey(fromBase64(v.private));
           const raw = await keys.unwrap(v.wrapped, own);
           return [await envelope.openText(v.name, key), hex(raw)];""",
        {
            "key": USER_KEY.raw.hex(),
            "name": envelope.seal("Zoë", USER_KEY),
            "private": base64.b64encode(private).decode(),
            "wrapped": keys.wrap_for(public, USER_KEY.raw),
        },
    )
    assert got == ["Zoë", USER_KEY.raw.hex()]
