/**
 * The recovery sheet's code: 160 random bits in Crockford's base 32 (no I, L, O, U; read
 * leniently, because people type it from paper). Twin: portal/crypto/recovery.py.
 */
import { random, utf8 } from "./bytes.js";
import { CannotOpen, importKey, open, seal } from "./envelope.js";
import { stretch } from "./kdf.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SALT = utf8("provider-portal recovery sheet 1");
const CODE_BYTES = 20;

/** @param {Uint8Array} [secret] 20 bytes @returns {string} `XXXX-XXXX-...`, eight groups */
export function newCode(secret = random(CODE_BYTES)) {
  let number = 0n;
  for (const byte of secret) number = (number << 8n) | BigInt(byte);
  let letters = "";
  for (let shift = 155n; shift >= 0n; shift -= 5n) {
    letters += ALPHABET[Number((number >> shift) & 31n)];
  }
  return letters.match(/.{4}/g).join("-");
}

function readCode(typed) {
  const plain = typed.toUpperCase().replace(/[\s-]/g, "");
  const letters = plain.replace(/O/g, "0").replace(/[IL]/g, "1");
  if (letters.length !== 32) throw new CannotOpen("not a recovery code");
  let number = 0n;
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new CannotOpen("not a recovery code");
    number = (number << 5n) | BigInt(value);
  }
  const secret = new Uint8Array(CODE_BYTES);
  for (let at = CODE_BYTES - 1; at >= 0; at -= 1) {
    secret[at] = Number(number & 255n);
    number >>= 8n;
  }
  return secret;
}

async function keyOf(code) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const salt = await crypto.subtle.importKey("raw", SALT, hmac, false, ["sign"]);
  const extracted = await crypto.subtle.sign("HMAC", salt, readCode(code));
  return importKey(await stretch(new Uint8Array(extracted)));
}

/** @param {Uint8Array} rawKey @param {string} code @returns {Promise<string>} a type 2 string */
export async function wrapWithCode(rawKey, code) {
  return seal(rawKey, await keyOf(code));
}

/**
 * @param {string} wrapped
 * @param {string} typed
 * @returns {Promise<Uint8Array>} the raw key
 * @throws {CannotOpen} for a wrong or mistyped code
 */
export async function openWithCode(wrapped, typed) {
  return open(wrapped, await keyOf(typed));
}
