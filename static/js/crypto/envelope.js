/**
 * Type 2 strings, `2.iv|ct|mac`: AES-256-CBC with PKCS7, then HMAC-SHA256 over iv and ciphertext.
 * Twin: portal/crypto/envelope.py.
 *
 * @typedef {{enc: CryptoKey, mac: CryptoKey}} SymmetricKey  cannot be exported again
 */
import { fromBase64, join, random, text, toBase64, utf8 } from "./bytes.js";

const TYPE_2 = /^2\.([A-Za-z0-9+/]{22}==)\|([A-Za-z0-9+/]+={0,2})\|([A-Za-z0-9+/]{43}=)$/;

/** Not a type 2 string, or changed on the way, or sealed with another key. */
export class CannotOpen extends Error {}

/** @returns {Uint8Array} 64 random bytes: an AES-256 key and a MAC key */
export function newKey() {
  return random(64);
}

/**
 * @param {Uint8Array} raw 64 bytes
 * @returns {Promise<SymmetricKey>}
 * @throws {CannotOpen} for any other length
 */
export async function importKey(raw) {
  if (raw.length !== 64) throw new CannotOpen("a symmetric key has 64 bytes");
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const load = (bytes, algorithm, uses) =>
    crypto.subtle.importKey("raw", bytes, algorithm, false, uses);
  return {
    enc: await load(raw.subarray(0, 32), "AES-CBC", ["encrypt", "decrypt"]),
    mac: await load(raw.subarray(32), hmac, ["sign", "verify"]),
  };
}

/**
 * @param {Uint8Array|string} clear text is sealed as UTF-8
 * @param {SymmetricKey} key
 * @param {Uint8Array} [iv] given by test vectors only
 * @returns {Promise<string>}
 */
export async function seal(clear, key, iv = random(16)) {
  const bytes = typeof clear === "string" ? utf8(clear) : clear;
  const sealed = await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key.enc, bytes);
  const ct = new Uint8Array(sealed);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key.mac, join(iv, ct)));
  return `2.${[iv, ct, mac].map(toBase64).join("|")}`;
}

/**
 * Checks the MAC (in constant time, inside WebCrypto) before anything is decrypted.
 * @param {string} sealed
 * @param {SymmetricKey} key
 * @returns {Promise<Uint8Array>}
 * @throws {CannotOpen}
 */
export async function open(sealed, key) {
  const found = TYPE_2.exec(sealed);
  if (!found) throw new CannotOpen("not a type 2 string");
  try {
    const [iv, ct, mac] = found.slice(1).map(fromBase64);
    if (await crypto.subtle.verify("HMAC", key.mac, mac, join(iv, ct))) {
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key.enc, ct));
    }
  } catch (error) {
    throw new CannotOpen("not base64, or not padded", { cause: error });
  }
  throw new CannotOpen("the MAC does not match");
}

/** @param {string} sealed @param {SymmetricKey} key @returns {Promise<string>} */
export async function openText(sealed, key) {
  return text(await open(sealed, key));
}
