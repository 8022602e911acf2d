/** A new account's keys, and on request those of its organization. */
import { importKey, newKey, seal } from "./crypto/envelope.js";
import { ITERATIONS, KDF, deriveMasterKey, signinHash, stretch } from "./crypto/kdf.js";
import { newKeyPair, wrapFor } from "./crypto/keys.js";
import { enter } from "./enter.js";
import { clearErrors, fill, pointAt, value, whileWorking, word } from "./forms.js";
import { keyRing } from "./key-ring.js";
import { makeOrganizationKeys } from "./organization-keys.js";

const MINIMUM_LENGTH = 12;

// Four steps of a rough measure: repeated letters count little, so length of one letter is weak.
function strength(password) {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(password));
  const bits = new Set(password).size * (2 + kinds.length * 0.5) + password.length * 0.5;
  return password.length < MINIMUM_LENGTH ? 1 : Math.min(4, 1 + Math.floor(bits / 20));
}

/** @param {HTMLFormElement} form */
export function setUp(form) {
  const meter = form.querySelector("[data-password-strength]");
  const password = form.querySelector("[data-master-password]");
  password.addEventListener("input", () => {
    password.removeAttribute("aria-invalid");
    if (meter) meter.value = password.value ? strength(password.value) : 0;
  });
}

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
  const repeat = form.querySelector("[data-master-password-repeat]");
  clearErrors(form);
  if (password.value.length < MINIMUM_LENGTH) pointAt(password, word(form, "short"));
  else if (repeat && repeat.value !== password.value) pointAt(repeat, word(form, "differ"));
  else await whileWorking(form, () => makeAccount(form, password.value));
  return false;
}
