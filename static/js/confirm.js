/** Confirming a member: the organization's key is wrapped for that person's public key. */
import { wrapFor } from "./crypto/keys.js";
import { complain, complainLocked, fill, word } from "./forms.js";
import { keyRing, organizationKey, providerKey } from "./key-ring.js";
import { makeOrganizationKeys, sealedByProvider } from "./organization-keys.js";
import { openVault } from "./vault.js";

// What the person compared must be the key that is wrapped for.
function isWhatWasShown(form) {
  const phrases = [...form.querySelectorAll("fingerprint-phrase")];
  return phrases.every(
    (phrase) =>
      phrase.dataset.state !== "mismatch" &&
      phrase.getAttribute("public-key") === form.dataset.publicKey &&
      phrase.getAttribute("account-id") === form.dataset.accountId,
  );
}

async function keyToHandOver(form, vault) {
  if (keyRing().organization?.key) return organizationKey(vault);
  const rawProviderKey = await providerKey(vault);
  if (!rawProviderKey) return null;
  const wrap = sealedByProvider(rawProviderKey);
  const { raw, fields } = await makeOrganizationKeys(form.dataset.collectionName, wrap);
  fill(form, fields);
  return raw;
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
export async function beforeSubmit(form) {
  complain(form, "");
  const vault = await openVault();
  if (!vault) {
    complainLocked(form);
    return false;
  }
  try {
    const raw = isWhatWasShown(form) && (await keyToHandOver(form, vault));
    if (!raw) throw new Error("nothing to hand over");
    const { publicKey } = form.dataset;
    fill(form, { wrapped_key: await wrapFor(publicKey, raw), public_key: publicKey });
    return true;
  } catch {
    complain(form, word(form, "failed"));
    return false;
  }
}
