/** The unlock page: the password is tried here, against the protected user key. */
import { deriveMasterKey, stretch } from "./crypto/kdf.js";
import { clearErrors, ownPath, pointAt, showErrors, whileWorking, word } from "./forms.js";
import { get } from "./http.js";
import { openVault, opensWith, unlock } from "./vault.js";

/** Another tab may have unlocked it already. @param {HTMLFormElement} form */
export async function setUp(form) {
  if (await openVault()) location.replace(ownPath(form.dataset.next));
}

async function tryPassword(form) {
  const password = form.querySelector("[data-master-password]");
  const answer = await get("/session/vault");
  if (!answer.data.protected_user_key) return showErrors(form, answer);
  let stretched;
  try {
    const { email } = answer.data;
    stretched = await stretch(await deriveMasterKey(email, password.value, answer.data));
  } catch {
    return pointAt(password, word(form, "refused"));
  }
  if (!(await opensWith(answer.data.protected_user_key, stretched))) {
    password.value = "";
    return pointAt(password, word(form, "wrong"));
  }
  if (!(await unlock(stretched, password.value))) return showErrors(form, { data: {} });
  location.assign(ownPath(form.dataset.next));
}

/** @param {HTMLFormElement} form */
export async function beforeSubmit(form) {
  clearErrors(form);
  await whileWorking(form, () => tryPassword(form));
  return false;
}
