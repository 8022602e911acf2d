/** An owner who has an account makes the keys of an organization that has none, while accepting. */
import { wrapFor } from "./crypto/keys.js";
import { fill } from "./forms.js";
import { keyRing } from "./key-ring.js";
import { makeOrganizationKeys } from "./organization-keys.js";
import { openVault, wrapForMe } from "./vault.js";

/** @param {HTMLFormElement} form @returns {Promise<boolean>} always true: without keys one waits */
export async function beforeSubmit(form) {
  try {
    const vault = await openVault();
    const key = keyRing().provider?.public_key;
    if (!vault || !key) return true;
    const forProvider = (raw) => wrapFor(key, raw);
    const { raw, fields } = await makeOrganizationKeys(form.dataset.collectionName, forProvider);
    fill(form, { ...fields, member_wrapped_key: await wrapForMe(vault, raw) });
  } catch {
    // Half of the keys would be refused; a provider admin can still make all of them.
    fill(form, { organization_public_key: "" });
  }
  return true;
}
