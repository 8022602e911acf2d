/** The master password of the person who is signed in, asked once more to wrap the user key. */
import { importKey, open, seal } from "./crypto/envelope.js";
import { deriveMasterKey, signinHash, stretch } from "./crypto/kdf.js";
import { get, post } from "./http.js";

/** How the portal derives for an address. @returns {Promise<import("./http.js").Answer>} */
export function parametersOf(email) {
  return post("/sign-in/parameters", { email });
}

/**
 * @param {string} email
 * @param {string} password
 * @param {{kdf: string, iterations: number, email?: string}} parameters
 * @returns {Promise<{hash: string, stretched: Uint8Array}>}
 */
export async function derive(email, password, parameters) {
  const masterKey = await deriveMasterKey(parameters.email || email, password, parameters);
  return {
    stretched: await stretch(masterKey),
    hash: await signinHash(masterKey, password),
  };
}

/**
 * @returns {Promise<{hash: string, rawUserKey: Uint8Array}>}
 * @throws {import("./crypto/envelope.js").CannotOpen} for a wrong password
 */
export async function openUserKey(email, password, parameters) {
  const { data } = await get("/session/vault"); // the wrapped keys come with it, locked or not
  const { hash, stretched } = await derive(email, password, parameters);
  return { hash, rawUserKey: await open(data.protected_user_key, await importKey(stretched)) };
}

/**
 * The hidden fields that say it all; the clear user key is gone afterwards.
 * @param {{hash: string, rawUserKey: Uint8Array}} old
 * @param {{hash: string, stretched: Uint8Array}} next
 * @param {number} iterations
 */
export async function changedFields(old, next, iterations) {
  const wrapped = await seal(old.rawUserKey, await importKey(next.stretched));
  old.rawUserKey.fill(0);
  return {
    signin_hash: old.hash,
    new_signin_hash: next.hash,
    kdf_iterations: String(iterations),
    protected_user_key: wrapped,
  };
}
