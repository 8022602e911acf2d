/**
 * RSA-2048 key pairs and type 4 strings (`4.ct`, OAEP with SHA-1, which is what the vault clients
 * in use expect; OAEP needs no collision resistance of its hash). Twin: portal/crypto/keys.py.
 */
import { fromBase64, toBase64 } from "./bytes.js";
import { CannotOpen } from "./envelope.js";

const RSA = { name: "RSA-OAEP", hash: "SHA-1" };
const TYPE_4 = /^4\.([A-Za-z0-9+/]{342}==)$/;

/** @returns {Promise<{publicKey: string, privateKey: Uint8Array}>} SPKI in base64, PKCS8 clear */
export async function newKeyPair() {
  const size = { ...RSA, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey(size, true, ["encrypt", "decrypt"]);
  return {
    publicKey: toBase64(new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey))),
    privateKey: new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)),
  };
}

/** @param {Uint8Array} pkcs8 @returns {Promise<CryptoKey>} which cannot be exported again */
export function importPrivateKey(pkcs8) {
  return crypto.subtle.importKey("pkcs8", pkcs8, RSA, false, ["decrypt"]);
}

/**
 * @param {string} publicKey SPKI DER in base64
 * @param {Uint8Array} clear
 * @returns {Promise<string>}
 * @throws {DOMException} if `publicKey` is none
 */
export async function wrapFor(publicKey, clear) {
  const key = await crypto.subtle.importKey("spki", fromBase64(publicKey), RSA, false, ["encrypt"]);
  if (key.algorithm.modulusLength !== 2048) throw new CannotOpen("not an RSA-2048 key");
  return `4.${toBase64(new Uint8Array(await crypto.subtle.encrypt(RSA, key, clear)))}`;
}

/**
 * @param {string} wrapped
 * @param {CryptoKey} privateKey
 * @returns {Promise<Uint8Array>}
 * @throws {CannotOpen}
 */
export async function unwrap(wrapped, privateKey) {
  const found = TYPE_4.exec(wrapped);
  if (!found) throw new CannotOpen("not a type 4 string");
  try {
    return new Uint8Array(await crypto.subtle.decrypt(RSA, privateKey, fromBase64(found[1])));
  } catch (error) {
    throw new CannotOpen("wrapped for another key, or changed", { cause: error });
  }
}
