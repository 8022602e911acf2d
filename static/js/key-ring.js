/**
 * The keys that a page carries in `<meta name="key-ring">`, wrapped. Raw keys are opened for one
 * operation and dropped; only what cannot be exported is kept, and only until the vault locks.
 */
import { CannotOpen, importKey, open } from "./crypto/envelope.js";
import { importPrivateKey, unwrap } from "./crypto/keys.js";
import { events, openVault } from "./vault.js";

const kept = new Map();
events.addEventListener("locked", () => kept.clear());

/** @returns {{account?: object, provider?: object, organization?: object}} */
export function keyRing() {
  const meta = document.querySelector("meta[name=key-ring]");
  return meta?.content ? JSON.parse(meta.content) : {};
}

/**
 * @param {import("./vault.js").Vault} vault
 * @param {{provider?: object}} [ring] the page's own, if left out
 * @returns {Promise<Uint8Array|null>} null if this page or person has none
 * @throws {CannotOpen}
 */
export async function providerKey(vault, { provider } = keyRing()) {
  return provider?.key ? unwrap(provider.key, vault.privateKey) : null;
}

async function fromProviderPair(vault, wrapped, ring) {
  const raw = await providerKey(vault, ring);
  const { private_key: sealed } = ring.provider ?? {};
  if (!raw || !sealed) return null;
  return unwrap(wrapped, await importPrivateKey(await open(sealed, await importKey(raw))));
}

/**
 * @param {import("./vault.js").Vault} vault
 * @param {{key: ?string, wrapped_by: string}} [organization] the page's own, if left out
 * @param {{provider?: object}} [ring] the same
 * @returns {Promise<Uint8Array|null>} null if this page or person has none
 * @throws {CannotOpen}
 */
export async function organizationKey(vault, organization, ring = keyRing()) {
  organization ??= ring.organization;
  if (!organization?.key) return null;
  const { key: wrapped, wrapped_by: by } = organization;
  if (by === "account") return unwrap(wrapped, vault.privateKey);
  if (by === "provider-public") return fromProviderPair(vault, wrapped, ring);
  if (by !== "provider") throw new CannotOpen(`unknown wrapping: ${by}`);
  const raw = await providerKey(vault, ring);
  return raw && open(wrapped, await importKey(raw));
}

async function load(name) {
  const vault = await openVault();
  if (!vault || name === "account") return vault?.userKey ?? null;
  const raw = await (name === "provider" ? providerKey(vault) : organizationKey(vault));
  return raw && importKey(raw);
}

/**
 * The key that opens what stands on this page.
 * @param {"account"|"provider"|"organization"} name
 * @returns {Promise<import("./crypto/envelope.js").SymmetricKey|null>} null while locked
 */
export async function pageKey(name) {
  const slot = `${name} ${document.querySelector("meta[name=key-ring]")?.content}`;
  if (!kept.has(slot)) kept.set(slot, load(name));
  const key = await kept.get(slot).catch(() => null);
  if (!key) kept.delete(slot);
  return key;
}
