/** The way in: a form is sent as JSON, a second factor may follow in place, the vault unlocks. */
import { showErrors, ownPath } from "./forms.js";
import { post } from "./http.js";
import { deleteRecord } from "./unlock-store.js";

// Survives the second factor because that step is swapped into this very page.
let stretched = null;
let typed = "";

/** @returns {boolean} whether a sign-in waits for its second factor on this page */
export function isWaiting() {
  return stretched !== null;
}

async function showNextStep(next) {
  const response = await fetch(ownPath(next), { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  if (!response.ok || !main) return location.assign(ownPath(next));
  const token = document.querySelector("meta[name=csrf-token]");
  const fresh = page.querySelector("meta[name=csrf-token]");
  if (token && fresh) token.content = fresh.content;
  document.querySelector("main").replaceWith(document.adoptNode(main));
  document.title = page.title;
  history.replaceState(null, "", response.url);
  window.htmx?.process(main);
  document.dispatchEvent(new Event("portal:changed"));
  main.querySelector("input:not([type=hidden])")?.focus();
}

async function goIn(next, rules) {
  try {
    if (rules) await (await import("./password-rules.js")).declare(rules, typed);
    await deleteRecord(); // of whoever was signed in here before
    if (stretched) await (await import("./vault.js")).unlock(stretched, typed);
  } catch {
    // Signed in all the same; the page that needs the vault offers to unlock it.
  }
  stretched = null;
  typed = "";
  location.assign(ownPath(next));
}

/**
 * Sends the form and does what the answer asks for.
 * @param {HTMLFormElement} form
 * @param {Uint8Array} [key] the stretched master key, to unlock with once signed in
 * @param {string} [password] for what is asked of it at sign-in
 */
export async function enter(form, key, password = "") {
  if (key) [stretched, typed] = [key, password];
  const answer = await post(form.getAttribute("action") || location.href, new FormData(form));
  if (answer.status === 401 && answer.data.next) {
    // Who this is must be proved anew first.
    location.assign(ownPath(answer.data.next));
  } else if (!answer.ok) {
    if (key) [stretched, typed] = [null, ""];
    showErrors(form, answer);
  } else if (answer.data.signed_in) {
    await goIn(answer.data.next, answer.data.password_rules);
  } else {
    await showNextStep(answer.data.next);
  }
}
