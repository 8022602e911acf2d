/** Sign-in: the master password becomes a hash here; it has no name and is never sent. */
import { deriveMasterKey, signinHash, stretch } from "./crypto/kdf.js";
import { enter, isWaiting } from "./enter.js";
import { clearErrors, fill, pointAt, showErrors, value, whileWorking, word } from "./forms.js";
import { post } from "./http.js";

async function signIn(form) {
  const password = form.querySelector("[data-master-password]");
  const email = value(form, "email");
  if (!password.value) return pointAt(password, word(form, "missing"));
  const answer = await post("/sign-in/parameters", { email });
  if (!answer.ok) return showErrors(form, answer);
  let masterKey;
  try {
    const salt = answer.data.email || email;
    masterKey = await deriveMasterKey(salt, password.value, answer.data);
  } catch {
    return pointAt(password, word(form, "refused"));
  }
  fill(form, { signin_hash: await signinHash(masterKey, password.value) });
  await enter(form, await stretch(masterKey), password.value);
  fill(form, { signin_hash: "" });
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} whether it goes as a plain form */
export async function beforeSubmit(form) {
  if (form.matches("[data-second-factor]") && !isWaiting()) return true;
  clearErrors(form);
  const work = form.matches("[data-sign-in]") ? signIn : enter;
  await whileWorking(form, () => work(form));
  return false;
}
