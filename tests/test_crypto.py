"""The Python twin of the browser's cryptography, held to the shared vectors."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from portal.crypto import envelope, fingerprint, kdf, keys, recovery
from portal.crypto.envelope import CannotOpen, SymmetricKey, looks_sealed, seal, unseal

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
WORD_LIST_SHA256 = "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522"
USER_KEY = SymmetricKey.from_raw(bytes.fromhex(VECTORS["user_key"]))
IV = bytes.fromhex(VECTORS["iv"])


@pytest.fixture(scope="module")
def master_key() -> bytes:
    return kdf.derive_master_key(VECTORS["input"]["email"], VECTORS["input"]["password"])


@pytest.fixture(scope="module")
def key_pair() -> tuple[str, bytes]:
    return keys.new_key_pair()


def test_the_address_is_trimmed_and_lowered_before_it_salts() -> None:
    assert kdf.normalize_email(VECTORS["input"]["email"]) == VECTORS["input"]["normalized"]


def test_the_master_key_and_what_follows_from_it_match_the_vectors(
    master_key: bytes,
) -> None:
    expected = VECTORS["pbkdf2_600000"]
    assert master_key.hex() == expected["master_key"]
    assert kdf.stretch(master_key).enc.hex() == expected["stretched_enc"]
    assert kdf.stretch(master_key).mac.hex() == expected["stretched_mac"]
    proof = kdf.signin_hash(master_key, VECTORS["input"]["password"])
    assert proof == expected["server_hash_b64"]


def test_the_stretched_key_opens_the_user_key_of_the_vectors(master_key: bytes) -> None:
    opened = unseal(VECTORS["protected_user_key_type2"], kdf.stretch(master_key))
    assert opened.hex() == VECTORS["user_key"]


@pytest.mark.parametrize("iterations", [1, 100_000, 599_999, 2_000_001])
def test_iterations_out_of_bounds_are_refused_before_anything_is_derived(
    iterations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", lambda *_: pytest.fail("derived"))
    with pytest.raises(kdf.KdfParametersRefused):
        kdf.derive_master_key("a@example.com", "long enough words", iterations)


def test_an_unknown_key_derivation_function_is_refused() -> None:
    with pytest.raises(kdf.KdfParametersRefused):
        kdf.check_parameters("md5", kdf.ITERATIONS)


@pytest.mark.parametrize(("name", "clear"), [("type2_hello", "Hello, vault!"), ("type2_empty", "")])
def test_sealing_gives_the_string_of_the_vectors_and_opens_it(name: str, clear: str) -> None:
    assert unseal(VECTORS[name], USER_KEY).decode() == clear
    assert seal(clear, USER_KEY, iv=IV) == VECTORS[name]


def test_the_provider_chain_matches_the_vectors() -> None:
    chain = VECTORS["provider_chain"]
    provider = SymmetricKey.from_raw(bytes.fromhex(chain["provider_key_hex"]))
    organization = bytes.fromhex(chain["org_key_hex"])
    assert unseal(chain["org_key_wrapped_by_provider_key_type2"], provider) == organization
    iv = bytes.fromhex(chain["iv_hex"])
    assert seal(organization, provider, iv=iv) == chain["org_key_wrapped_by_provider_key_type2"]


def test_sealing_twice_gives_two_strings() -> None:
    assert seal("same", USER_KEY) != seal("same", USER_KEY)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_bit_anywhere_is_found_before_decrypting(part: int) -> None:
    parts = [base64.b64decode(text) for text in VECTORS["type2_hello"][2:].split("|")]
    parts[part] = bytes([parts[part][0] ^ 1]) + parts[part][1:]
    changed = "2." + "|".join(base64.b64encode(text).decode() for text in parts)
    with pytest.raises(CannotOpen, match="MAC"):
        unseal(changed, USER_KEY)


@pytest.mark.parametrize("text", ["", "hello", VECTORS["type0_hello"], "2.a|b|c", "2.||"])
def test_what_is_no_type_2_string_is_refused(text: str) -> None:
    assert not looks_sealed(text, 2)
    with pytest.raises(CannotOpen):
        unseal(text, USER_KEY)


def test_type_4_of_the_vectors_opens_with_the_wrapped_private_key() -> None:
    private = unseal(VECTORS["rsa"]["private_wrapped_with_user_key_type2"], USER_KEY)
    assert base64.b64encode(private).decode() == VECTORS["rsa"]["private_pkcs8_b64"]
    wrapped = VECTORS["rsa"]["org_key_T4"]
    assert keys.unwrap(wrapped["wrapped"], private).hex() == wrapped["plain_hex"]


def test_what_is_wrapped_for_one_is_not_opened_by_another(
    key_pair: tuple[str, bytes],
) -> None:
    public, private = key_pair
    wrapped = keys.wrap_for(public, USER_KEY.raw)
    assert keys.unwrap(wrapped, private) == USER_KEY.raw
    with pytest.raises(CannotOpen):
        keys.unwrap(wrapped, base64.b64decode(VECTORS["rsa"]["private_pkcs8_b64"]))
    with pytest.raises(CannotOpen):
        keys.unwrap("4.short", private)


def test_only_rsa_2048_passes_as_a_public_key(key_pair: tuple[str, bytes]) -> None:
    public = key_pair[0]
    assert keys.is_public_key(public)
    assert not keys.is_public_key("")
    assert not keys.is_public_key("A" * keys.PUBLIC_KEY_LENGTH)
    assert not keys.is_public_key(public[:-4])
    with pytest.raises(ValueError, match="public key"):
        keys.wrap_for("AAAA", b"key")


def test_lengths_of_form_fields_fit_what_the_browser_sends(
    key_pair: tuple[str, bytes],
) -> None:
    public, private = key_pair
    assert len(public) == keys.PUBLIC_KEY_LENGTH
    assert len(keys.wrap_for(public, USER_KEY.raw)) == envelope.WRAPPED_KEY_LENGTH
    assert len(seal(USER_KEY.raw, USER_KEY)) == envelope.SEALED_KEY_LENGTH
    assert looks_sealed(seal(private, USER_KEY), 2, envelope.SEALED_PRIVATE_KEY_LENGTH)
    assert not looks_sealed(seal("x" * 3_000, USER_KEY), 2)
    assert looks_sealed(VECTORS["rsa"]["org_key_T4"]["wrapped"], 4)
    assert not looks_sealed(VECTORS["rsa"]["org_key_T4"]["wrapped"], 2)


def test_a_new_account_is_opened_by_its_password_alone() -> None:
    made = keys.new_account_keys("Ada@Example.com ", "correct horse battery")
    protected, count = made.protected_user_key, made.iterations
    opened = keys.open_user_key(protected, "ada@example.com", "correct horse battery", count)
    assert opened == made.user_key
    private = unseal(made.protected_private_key, opened)
    assert keys.unwrap(keys.wrap_for(made.public_key, b"provider key"), private) == b"provider key"
    with pytest.raises(CannotOpen):
        keys.open_user_key(protected, "ada@example.com", "incorrect horse battery", count)


def test_new_tenant_keys_hold_a_private_key_that_fits_the_public_one() -> None:
    made = keys.new_tenant_keys()
    private = unseal(made.protected_private_key, made.key)
    assert keys.unwrap(keys.wrap_for(made.public_key, b"x"), private) == b"x"


def test_no_secret_shows_in_a_repr() -> None:
    made = keys.new_account_keys("ada@example.com", "correct horse battery")
    shown = repr(made) + repr(kdf.stretch(b"\x41" * 32))
    for secret in (made.signin_hash, repr(made.private_key), repr(made.user_key.enc)):
        assert secret not in shown


def test_the_fingerprint_phrase_matches_the_vectors_and_depends_on_the_account() -> None:
    known, public = VECTORS["fingerprint"], VECTORS["rsa"]["public_spki_b64"]
    assert fingerprint.fingerprint_phrase(known["user_id"], public) == known["phrase"]
    assert fingerprint.fingerprint_phrase("another", public) != known["phrase"]


def test_the_word_list_is_the_original_one() -> None:
    content = fingerprint.WORD_LIST.read_bytes()
    assert hashlib.sha256(content).hexdigest() == WORD_LIST_SHA256
    assert len(content.split()) == 6**5
    licence = fingerprint.WORD_LIST.with_name("eff_large_wordlist.LICENSE.txt").read_text()
    assert "CC BY 3.0" in licence
    assert WORD_LIST_SHA256 in licence


def test_the_recovery_code_is_read_back_however_it_is_typed() -> None:
    known = VECTORS["recovery"]
    secret = bytes.fromhex(known["secret_hex"])
    assert recovery.write_code(secret) == known["code"]
    assert recovery.read_code(known["code"].lower().replace("-", " ")) == secret
    assert recovery.read_code(known["code"].replace("0", "o").replace("1", "l")) == secret


def test_the_recovery_sheet_opens_with_its_code_alone() -> None:
    known = VECTORS["recovery"]
    opened = recovery.open_with_code(known["wrapped_provider_key"], known["code"])
    assert opened.raw.hex() == VECTORS["provider_chain"]["provider_key_hex"]
    for wrong in (recovery.new_code(), "", "too short", "U" * 32):
        with pytest.raises(CannotOpen):
            recovery.open_with_code(known["wrapped_provider_key"], wrong)


def test_a_fresh_recovery_sheet_opens_again() -> None:
    code = recovery.new_code()
    assert recovery.open_with_code(recovery.wrap_with_code(USER_KEY, code), code) == USER_KEY
