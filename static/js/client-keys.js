/**
 * Keys of a new client, made once per rendered form: begun at the first input, awaited at the
 * submit, kept in hidden inputs that the server echoes. A locked browser sends none.
 */
import { fill, value } from "./forms.js";
import { providerKey } from "./key-ring.js";
import { makeOrganizationKeys, sealedByProvider } from "./organization-keys.js";
import { openVault } from "./vault.js";

const begun = new WeakMap();

async function make(form) {
  const vault = await openVault();
  const raw = vault && (await providerKey(vault));
  if (!raw) return {};
  return (await makeOrganizationKeys(form.dataset.collectionName, sealedByProvider(raw))).fields;
}

function begin(form) {
  const unlocked = document.documentElement.dataset.vault === "unlocked";
  if (!unlocked || value(form, "provider_wrapped_key")) return null;
  // Without its keys the client is still created, and finished by the next unlocked browser.
  if (!begun.has(form)) begun.set(form, make(form).catch(() => ({})));
  return begun.get(form);
}

/** @param {HTMLFormElement} form */
export function setUp(form) {
  form.addEventListener("input", () => begin(form), { once: true });
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} always true */
export async function beforeSubmit(form) {
  const fields = await begin(form);
  if (fields) fill(form, fields);
  // Unlocked in another tab after a first try: the next submit may make them.
  if (!value(form, "provider_wrapped_key")) begun.delete(form);
  return true;
}
