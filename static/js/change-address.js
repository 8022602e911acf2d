/** Another address: it is the master password's salt, so the user key is wrapped anew for it. */
import { CannotOpen } from "./crypto/envelope.js";
import { ITERATIONS, KDF } from "./crypto/kdf.js";
import { clearErrors, fill, pointAt, showErrors, value, whileWorking, word } from "./forms.js";
import { changedFields, derive, openUserKey, parametersOf } from "./present-password.js";

async function change(form, password) {
  const present = form.querySelector("[data-present-address]").value;
  const email = value(form, "email");
  const [before, after] = await Promise.all([parametersOf(present), parametersOf(email)]);
  const failed = [before, after].find(({ ok }) => !ok);
  if (failed) {
    showErrors(form, failed);
    return false;
  }
  try {
    const old = await openUserKey(present, password.value, before.data);
    const parameters = { kdf: KDF, iterations: ITERATIONS, email: after.data.email };
    const next = await derive(email, password.value, parameters);
    fill(form, await changedFields(old, next, ITERATIONS));
    return true;
  } catch (error) {
    pointAt(password, word(form, error instanceof CannotOpen ? "wrong" : "refused"));
    return false;
  }
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} whether it goes as a plain form */
export async function beforeSubmit(form) {
  const password = form.querySelector("[data-present-password]");
  clearErrors(form);
  // The server says what is wrong with an address.
  if (!value(form, "email").includes("@")) return true;
  if (!password.value) {
    pointAt(password, word(form, "missing"));
    return false;
  }
  let ready = false;
  await whileWorking(form, async () => {
    ready = await change(form, password);
  });
  return ready;
}
