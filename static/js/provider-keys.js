/** The provider's key and its RSA pair, made at set-up by the first admin's unlocked browser. */
import { importKey, newKey, seal } from "./crypto/envelope.js";
import { newKeyPair } from "./crypto/keys.js";
import { complain, complainLocked, fill, value, word } from "./forms.js";
import { openVault, wrapForMe } from "./vault.js";

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
export async function beforeSubmit(form) {
  if (value(form, "wrapped_provider_key")) return true;
  const vault = await openVault();
  if (!vault) {
    complainLocked(form);
    return false;
  }
  try {
    const raw = newKey();
    const [key, pair] = await Promise.all([importKey(raw), newKeyPair()]);
    fill(form, {
      public_key: pair.publicKey,
      protected_private_key: await seal(pair.privateKey, key),
      wrapped_provider_key: await wrapForMe(vault, raw),
    });
    return true;
  } catch {
    complain(form, word(form, "failed"));
    return false;
  }
}
