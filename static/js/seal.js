/**
 * Forms whose fields are sealed before they are sent. A clear field has no name, so broken or
 * missing scripts cannot send it; the ciphertext of a refused form is opened into it again.
 */
import { openText, seal } from "./crypto/envelope.js";
import { complain, complainLocked, fill, value, word } from "./forms.js";
import { pageKey } from "./key-ring.js";
import { events } from "./vault.js";

const keyOf = (form) => pageKey(form.dataset.key || "organization");
const clearFields = (form) => form.querySelectorAll("[data-seal]");

async function fillIn(form) {
  const waiting = [...clearFields(form)].filter(
    (field) => !field.value && value(form, field.dataset.seal),
  );
  const key = waiting.length ? await keyOf(form) : null;
  for (const field of key ? waiting : []) {
    field.value = await openText(value(form, field.dataset.seal), key).catch(() => "");
  }
}

/** @param {HTMLFormElement} form */
export async function setUp(form) {
  events.addEventListener("unlocked", () => form.isConnected && fillIn(form));
  await fillIn(form);
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
export async function beforeSubmit(form) {
  complain(form, "");
  const key = await keyOf(form);
  if (!key) {
    complainLocked(form);
    return false;
  }
  for (const field of clearFields(form)) {
    if (field.name) {
      complain(form, word(form, "failed"));
      return false;
    }
    fill(form, { [field.dataset.seal]: field.value ? await seal(field.value, key) : "" });
  }
  return true;
}
