/** Confirming members of several clients: each ticked one gets their client's key, one by one. */
import { wrapFor } from "./crypto/keys.js";
import { onPress, word } from "./forms.js";
import { post } from "./http.js";
import { organizationKey } from "./key-ring.js";
import { openVault } from "./vault.js";

// What was compared must be the key that is wrapped for.
function isWhatWasShown(person) {
  const phrase = person.querySelector("fingerprint-phrase");
  return (
    phrase.dataset.state !== "mismatch" &&
    phrase.getAttribute("public-key") === person.dataset.publicKey &&
    phrase.getAttribute("account-id") === person.dataset.accountId
  );
}

async function confirm(person) {
  if (!isWhatWasShown(person)) return { state: "mismatch" };
  const { organizationKey: key, wrappedBy, publicKey, keyVersion } = person.dataset;
  const vault = await openVault();
  const raw = vault && (await organizationKey(vault, { key, wrapped_by: wrappedBy }));
  if (!raw) return { state: "locked" };
  const wrapped = await wrapFor(publicKey, raw);
  const fields = { public_key: publicKey, wrapped_key: wrapped, key_version: keyVersion };
  const { ok, data } = await post(person.dataset.post, fields);
  return ok ? { state: "done" } : { state: "failed", said: data.errors?.[""] };
}

function say(person, { state, said }) {
  person.dataset.state = state;
  person.querySelector("[data-status]").textContent = said ?? word(person, state);
}

async function run(section, button, progress, status) {
  const people = [...section.querySelectorAll("[data-member]")].filter(
    (person) => person.dataset.state !== "done" && person.querySelector("input").checked,
  );
  status.textContent = people.length ? "" : word(section, "nobody");
  if (!people.length) return;
  button.disabled = true;
  Object.assign(progress, { max: people.length, value: 0 });
  for (const person of people) {
    say(person, { state: "working" });
    const outcome = await confirm(person).catch(() => ({ state: "failed" }));
    say(person, outcome);
    if (outcome.state === "locked") break;
    if (outcome.state === "done") person.querySelector("input").disabled = true;
    progress.value += 1;
  }
  button.disabled = false;
  const left = people.some(({ dataset }) => dataset.state !== "done");
  status.textContent = word(section, left ? "unfinished" : "finished");
}

/** @param {HTMLElement} section `<section data-key-work="confirm-members">` */
export function setUp(section) {
  const button = section.querySelector("[data-confirm-start]");
  const progress = section.querySelector("progress");
  const status = section.querySelector("[data-confirm-status]");
  onPress(button, () => run(section, button, progress, status));
}
