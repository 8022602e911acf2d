/** Another master password: the user key is opened with the old one and wrapped with the new. */
import { CannotOpen } from "./crypto/envelope.js";
import { ITERATIONS, KDF } from "./crypto/kdf.js";
import { enter } from "./enter.js";
import { clearErrors, fill, pointAt, showErrors, value, whileWorking, word } from "./forms.js";
import { isGoodEnough } from "./password-rules.js";
import { changedFields, derive, openUserKey, parametersOf } from "./present-password.js";

export { watch as setUp } from "./password-rules.js";

async function change(form, fields) {
  const email = value(form, "email");
  const answer = await parametersOf(email);
  if (!answer.ok) return showErrors(form, answer);
  let old;
  try {
    old = await openUserKey(email, fields.present.value, answer.data);
  } catch (error) {
    const name = error instanceof CannotOpen ? "wrong" : "refused";
    return pointAt(fields.present, word(form, name));
  }
  const parameters = { kdf: KDF, iterations: ITERATIONS, email: answer.data.email };
  const next = await derive(email, fields.password.value, parameters);
  fill(form, await changedFields(old, next, ITERATIONS));
  await enter(form, next.stretched);
  fill(form, { signin_hash: "", new_signin_hash: "", protected_user_key: "" });
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} always false: it is sent from here */
export async function beforeSubmit(form) {
  const fields = {
    present: form.querySelector("[data-present-password]"),
    password: form.querySelector("[data-master-password]"),
  };
  clearErrors(form);
  if (!fields.present.value) pointAt(fields.present, word(form, "missing"));
  else if (isGoodEnough(form)) await whileWorking(form, () => change(form, fields));
  return false;
}
