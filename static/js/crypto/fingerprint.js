/**
 * Five words that stand for a public key, for two people to compare over another channel.
 * Twin: portal/crypto/fingerprint.py.
 */
import { fromBase64, join, utf8 } from "./bytes.js";

const WORD_LIST = new URL("../../vendor/eff_large_wordlist.txt", import.meta.url);
const WORDS = 5;
const LIST_LENGTH = 7776;

let list;

async function fetchWords() {
  const response = await fetch(WORD_LIST);
  const words = (await response.text()).split("\n").filter(Boolean);
  if (!response.ok || words.length !== LIST_LENGTH) throw new Error("the word list is not whole");
  return words;
}

/**
 * @param {string} accountId the id is part of it: under another account a key has another phrase
 * @param {string} publicKey SPKI DER in base64
 * @returns {Promise<string>} words joined by `-`
 */
export async function fingerprintPhrase(accountId, publicKey) {
  list ??= fetchWords().catch((error) => {
    list = undefined;
    throw error;
  });
  const words = await list;
  const spki = await crypto.subtle.digest("SHA-256", fromBase64(publicKey));
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", spki, hmac, false, ["sign"]);
  const info = join(utf8(accountId), new Uint8Array([1]));
  let number = 0n;
  for (const byte of new Uint8Array(await crypto.subtle.sign("HMAC", key, info))) {
    number = (number << 8n) | BigInt(byte);
  }
  const phrase = [];
  for (let count = 0; count < WORDS; count += 1) {
    phrase.push(words[Number(number % BigInt(LIST_LENGTH))]);
    number /= BigInt(LIST_LENGTH);
  }
  return phrase.join("-");
}
