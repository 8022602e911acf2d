/** The keys an organization is born with. */
import { importKey, newKey, seal } from "./crypto/envelope.js";
import { newKeyPair } from "./crypto/keys.js";
import { keyRing } from "./key-ring.js";

/**
 * @param {string} collectionName the first collection's name, in clear
 * @param {(raw: Uint8Array) => Promise<string>} wrapForProvider
 * @returns {Promise<{raw: Uint8Array, fields: Record<string, string>}>} the form's hidden fields
 */
export async function makeOrganizationKeys(collectionName, wrapForProvider) {
  const raw = newKey();
  const [key, pair] = await Promise.all([importKey(raw), newKeyPair()]);
  const fields = {
    organization_public_key: pair.publicKey,
    organization_private_key: await seal(pair.privateKey, key),
    provider_wrapped_key: await wrapForProvider(raw),
    collection_name: await seal(collectionName, key),
    // The server refuses keys for a provider key that was rotated since this page was opened.
    provider_public_key: keyRing().provider?.public_key ?? "",
  };
  return { raw, fields };
}

/**
 * The usual way to wrap for the provider: a type 2 string under its key.
 * @param {Uint8Array} rawProviderKey
 * @returns {(raw: Uint8Array) => Promise<string>}
 */
export function sealedByProvider(rawProviderKey) {
  return async (raw) => seal(raw, await importKey(rawProviderKey));
}
