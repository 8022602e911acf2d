/**
 * The unlocked vault of this page: the person's keys, imported so that they cannot be exported.
 *
 * @typedef {{accountId: string, publicKey: string, privateKey: CryptoKey,
 *   userKey: import("./crypto/envelope.js").SymmetricKey}} Vault
 */
import { currentRecord, events, forget, keep, lock } from "./auto-lock.js";
import { fromBase64, random, utf8 } from "./crypto/bytes.js";
import { CannotOpen, importKey, open } from "./crypto/envelope.js";
import { importPrivateKey, unwrap, wrapFor } from "./crypto/keys.js";
import { get, post } from "./http.js";

export { events, lock };

let opened = null;
let opening = null;

events.addEventListener("locked", () => {
  opened = opening = null;
});

async function keysOf(rawUserKey, answer) {
  const userKey = await importKey(rawUserKey);
  const pkcs8 = await open(answer.protected_private_key, userKey);
  return {
    accountId: answer.account_id,
    publicKey: answer.public_key,
    privateKey: await importPrivateKey(pkcs8),
    userKey,
  };
}

// AES-GCM binds the record to the account and session it was made in.
async function sessionCipher(answer, iv) {
  const secret = fromBase64(answer.secret);
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  const additionalData = utf8(`${answer.account_id}|${answer.session_id}`);
  return [{ name: "AES-GCM", iv, additionalData }, key];
}

async function openRecord() {
  const record = await currentRecord();
  if (!record) return null;
  const { ok, status, data } = await get("/session/vault");
  if (!ok && status !== 409 && status !== 401) return null;
  const same = data.account_id === record.accountId && data.session_id === record.sessionId;
  if (!data.secret || !same) {
    await forget();
    return null;
  }
  try {
    const [algorithm, key] = await sessionCipher(data, record.iv);
    const raw = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, record.ct));
    const keys = await keysOf(raw, data);
    raw.fill(0);
    return keys;
  } catch {
    await forget();
    return null;
  }
}

/**
 * The vault if it is unlocked, else null. Asks the server once per page.
 * @returns {Promise<Vault|null>}
 */
export async function openVault() {
  if (opened) return (await currentRecord()) && opened;
  const mine = (opening ??= openRecord());
  const keys = await mine;
  if (opening === mine) [opening, opened] = [null, keys];
  return opened && keys; // null: locked meanwhile
}

/**
 * @param {string} protectedUserKey
 * @param {Uint8Array} stretched the stretched master key
 * @returns {Promise<boolean>} whether the master password was right
 */
export async function opensWith(protectedUserKey, stretched) {
  try {
    await open(protectedUserKey, await importKey(stretched));
    return true;
  } catch (error) {
    if (error instanceof CannotOpen) return false;
    throw error;
  }
}

/**
 * Unlocks this session's vault, for this page and the next ones.
 * @param {Uint8Array} stretched the stretched master key
 * @param {string} [password] to be checked where an organization asks something of it
 * @returns {Promise<Vault|null>} null for an account without keys, or if the server refuses
 * @throws {CannotOpen} for a wrong master password
 */
export async function unlock(stretched, password) {
  const { ok, data } = await post("/session/vault");
  if (!ok || !data.secret || !data.protected_user_key) return null;
  const raw = await open(data.protected_user_key, await importKey(stretched));
  const keys = await keysOf(raw, data);
  const iv = random(12);
  const [algorithm, key] = await sessionCipher(data, iv);
  const ct = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, raw));
  raw.fill(0);
  // What still looks for an older record finds out too late to count.
  [opening, opened] = [null, keys];
  await keep({
    accountId: data.account_id,
    sessionId: data.session_id,
    sessionEnds: Date.parse(data.expires_at) || Infinity,
    lockMinutes: data.lock_minutes || 15,
    signsOut: Boolean(data.signs_out),
    iv,
    ct,
  });
  if (data.password_rules) {
    await (await import("./password-rules.js")).declare(data.password_rules, password);
  }
  return keys;
}

/**
 * Wraps a key for the person who is here. The public key comes from the server, so it is tried
 * with our private key first: a server must not get a key wrapped for somebody else.
 * @param {Vault} vault
 * @param {Uint8Array} clear
 * @returns {Promise<string>} a type 4 string
 * @throws {CannotOpen} if the public key is not ours
 */
export async function wrapForMe(vault, clear) {
  const probe = random(32);
  const back = await unwrap(await wrapFor(vault.publicKey, probe), vault.privateKey);
  if (back.some((byte, at) => byte !== probe[at])) throw new CannotOpen("not our public key");
  return wrapFor(vault.publicKey, clear);
}
