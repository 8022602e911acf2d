/** Opens the keys of clients as the provider has them: the three things that it takes, once. */
import { importKey, open } from "./crypto/envelope.js";
import { importPrivateKey, unwrap } from "./crypto/keys.js";
import { keyRing, providerKey } from "./key-ring.js";

/**
 * @param {import("./vault.js").Vault} vault
 * @returns {Promise<((wrapped: string) => Promise<Uint8Array>)|null>} null without provider key
 * @throws {import("./crypto/envelope.js").CannotOpen}
 */
export async function clientOpener(vault) {
  const raw = await providerKey(vault);
  if (!raw) return null;
  const key = await importKey(raw);
  const privateKey = await importPrivateKey(await open(keyRing().provider.private_key, key));
  return async (wrapped) =>
    wrapped.startsWith("4.") ? unwrap(wrapped, privateKey) : open(wrapped, key);
}
