/** Enrolling in account recovery: the user key is wrapped for the organization's public key. */
import { CannotOpen } from "./crypto/envelope.js";
import { wrapFor } from "./crypto/keys.js";
import { clearErrors, ownPath, pointAt, showErrors, value, whileWorking, word } from "./forms.js";
import { post } from "./http.js";
import { openUserKey, parametersOf } from "./present-password.js";

// What was shown to be compared must be the key that is wrapped for.
function isWhatWasShown(form) {
  const phrase = form.querySelector("fingerprint-phrase");
  return (
    phrase?.dataset.state === "same" &&
    phrase.getAttribute("public-key") === form.dataset.publicKey &&
    phrase.getAttribute("account-id") === form.dataset.organizationId
  );
}

async function enrol(form, password) {
  const email = value(form, "email");
  const { publicKey } = form.dataset;
  const parameters = await parametersOf(email);
  if (!parameters.ok) return showErrors(form, parameters);
  let raw;
  try {
    raw = (await openUserKey(email, password.value, parameters.data)).rawUserKey;
  } catch (error) {
    return pointAt(password, word(form, error instanceof CannotOpen ? "wrong" : "refused"));
  }
  const wrapped = await wrapFor(publicKey, raw);
  raw.fill(0);
  const answer = await post(form.getAttribute("action"), {
    wrapped_user_key: wrapped,
    organization_public_key: publicKey,
    next: value(form, "next"),
  });
  if (answer.data.next) location.assign(ownPath(answer.data.next));
  else showErrors(form, answer);
}

/** @param {HTMLElement} section `[data-key-work=enrol-recovery]` around a form */
export function setUp(section) {
  const form = section.querySelector("form");
  const password = form.querySelector("[data-master-password]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    clearErrors(form);
    if (!isWhatWasShown(form)) pointAt(password, word(form, "mismatch"));
    else if (!password.value) pointAt(password, word(form, "missing"));
    else whileWorking(form, () => enrol(form, password));
  });
}
