/** Another master password: the user key is opened with the old one and wrapped with the new. */
import { CannotOpen, importKey, open, seal } from "./crypto/envelope.js";
import { ITERATIONS, KDF, deriveMasterKey, signinHash, stretch } from "./crypto/kdf.js";
import { enter } from "./enter.js";
import { clearErrors, fill, pointAt, showErrors, value, whileWorking, word } from "./forms.js";
import { get, post } from "./http.js";

const MINIMUM_LENGTH = 12;

async function derive(email, password, parameters) {
  const masterKey = await deriveMasterKey(email, password, parameters);
  return {
    stretched: await stretch(masterKey),
    hash: await signinHash(masterKey, password),
  };
}

async function present(email, password, parameters, wrapped) {
  const derived = await derive(parameters.email || email, password, parameters);
  const rawUserKey = await open(wrapped, await importKey(derived.stretched));
  return { hash: derived.hash, rawUserKey };
}

async function change(form, fields) {
  const email = value(form, "email");
  const [parameters, vault] = await Promise.all([
    post("/sign-in/parameters", { email }),
    get("/session/vault"), // the wrapped keys come with it, locked or not
  ]);
  if (!parameters.ok) return showErrors(form, parameters);
  let old;
  try {
    const wrapped = vault.data.protected_user_key;
    old = await present(email, fields.present.value, parameters.data, wrapped);
  } catch (error) {
    const name = error instanceof CannotOpen ? "wrong" : "refused";
    return pointAt(fields.present, word(form, name));
  }
  const next = await derive(parameters.data.email || email, fields.password.value, {
    kdf: KDF,
    iterations: ITERATIONS,
  });
  fill(form, {
    signin_hash: old.hash,
    new_signin_hash: next.hash,
    kdf_iterations: String(ITERATIONS),
    protected_user_key: await seal(old.rawUserKey, await importKey(next.stretched)),
  });
  old.rawUserKey.fill(0);
  await enter(form, next.stretched);
  fill(form, { signin_hash: "", new_signin_hash: "", protected_user_key: "" });
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} always false: it is sent from here */
export async function beforeSubmit(form) {
  const fields = {
    present: form.querySelector("[data-present-password]"),
    password: form.querySelector("[data-master-password]"),
    repeat: form.querySelector("[data-master-password-repeat]"),
  };
  clearErrors(form);
  if (!fields.present.value) pointAt(fields.present, word(form, "missing"));
  else if (fields.password.value.length < MINIMUM_LENGTH) {
    pointAt(fields.password, word(form, "short"));
  } else if (fields.repeat.value !== fields.password.value) {
    pointAt(fields.repeat, word(form, "differ"));
  } else await whileWorking(form, () => change(form, fields));
  return false;
}
