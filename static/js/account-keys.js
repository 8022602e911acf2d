/** A new account's keys, and on request those of its organization. */
import { importKey, newKey, seal } from "./crypto/envelope.js";
import { ITERATIONS, KDF, deriveMasterKey, signinHash, stretch } from "./crypto/kdf.js";
import { newKeyPair, wrapFor } from "./crypto/keys.js";
import { enter } from "./enter.js";
import { clearErrors, fill, value, whileWorking } from "./forms.js";
import { keyRing } from "./key-ring.js";
import { makeOrganizationKeys } from "./organization-keys.js";
import { isGoodEnough } from "./password-rules.js";

export { watch as setUp } from "./password-rules.js";

async function organizationFields(form, publicKey) {
  const { provider } = keyRing();
  const toProvider = (raw) => (provider?.public_key ? wrapFor(provider.public_key, raw) : "");
  const made = await makeOrganizationKeys(form.dataset.collectionName, toProvider);
  return { ...made.fields, member_wrapped_key: await wrapFor(publicKey, made.raw) };
}

async function makeAccount(form, password) {
  const email = form.dataset.email || value(form, "email");
  const parameters = { kdf: KDF, iterations: ITERATIONS };
  const masterKey = await deriveMasterKey(email, password, parameters);
  const stretched = await stretch(masterKey);
  const rawUserKey = newKey();
  const [userKey, pair] = await Promise.all([importKey(rawUserKey), newKeyPair()]);
  fill(form, {
    kdf_iterations: String(ITERATIONS),
    signin_hash: await signinHash(masterKey, password),
    protected_user_key: await seal(rawUserKey, await importKey(stretched)),
    public_key: pair.publicKey,
    protected_private_key: await seal(pair.privateKey, userKey),
  });
  if (form.matches("[data-make-organization-keys]")) {
    fill(form, await organizationFields(form, pair.publicKey));
  }
  const { recoveryPublicKey: shown } = form.dataset;
  if (shown) {
    fill(form, {
      recovery_user_key: await wrapFor(shown, rawUserKey),
      recovery_public_key: shown,
    });
  }
  await enter(form, stretched);
}

/** @param {HTMLFormElement} form */
export async function beforeSubmit(form) {
  const password = form.querySelector("[data-master-password]");
  clearErrors(form);
  if (isGoodEnough(form)) await whileWorking(form, () => makeAccount(form, password.value));
  return false;
}
