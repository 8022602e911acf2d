/**
 * From a master password to keys. Nothing here leaves the browser except `signinHash`.
 * Twin: portal/crypto/kdf.py.
 */
import { join, toBase64, utf8 } from "./bytes.js";

export const KDF = "pbkdf2-sha256";
export const ITERATIONS = 600_000;
const MINIMUM_ITERATIONS = 600_000;
const MAXIMUM_ITERATIONS = 2_000_000;

/** Raised before anything is derived: a lying server must not be handed a cheap hash. */
export class KdfParametersRefused extends Error {}

/** @param {string} email @returns {string} the text of the salt */
export function normalizeEmail(email) {
  return email.trim().toLowerCase();
}

/**
 * @param {{kdf: string, iterations: number}} parameters as the server tells them
 * @throws {KdfParametersRefused} for another function, or outside 600,000 to 2,000,000
 */
export function checkParameters({ kdf, iterations }) {
  const known = kdf === KDF && Number.isInteger(iterations);
  if (!known || iterations < MINIMUM_ITERATIONS || iterations > MAXIMUM_ITERATIONS) {
    throw new KdfParametersRefused(`${kdf} with ${iterations} iterations is refused`);
  }
}

async function pbkdf2(password, salt, iterations) {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256));
}

/**
 * @param {string} email
 * @param {string} password
 * @param {{kdf: string, iterations: number}} parameters
 * @returns {Promise<Uint8Array>} 32 bytes
 * @throws {KdfParametersRefused}
 */
export async function deriveMasterKey(email, password, parameters) {
  checkParameters(parameters);
  return pbkdf2(utf8(password), utf8(normalizeEmail(email)), parameters.iterations);
}

/**
 * What is sent in place of the password.
 * @param {Uint8Array} masterKey
 * @param {string} password
 * @returns {Promise<string>} 32 bytes in base64
 */
export async function signinHash(masterKey, password) {
  return toBase64(await pbkdf2(masterKey, utf8(password), 1));
}

/**
 * HKDF-Expand (RFC 5869, section 2.3) into 64 bytes. WebCrypto's own HKDF always extracts first,
 * which would give other keys.
 * @param {Uint8Array} pseudorandomKey
 * @returns {Promise<Uint8Array>} the raw symmetric key
 */
export async function stretch(pseudorandomKey) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", pseudorandomKey, hmac, false, ["sign"]);
  const half = async (info) => new Uint8Array(await crypto.subtle.sign("HMAC", key, info));
  return join(await half(utf8("enc\x01")), await half(utf8("mac\x01")));
}
