/**
 * Confirming a provider's people: the provider key is wrapped for each chosen person's key.
 * Whoever is marked `data-no-key` is confirmed without it.
 */
import { wrapFor } from "./crypto/keys.js";
import { complain, complainLocked, fill, word } from "./forms.js";
import { providerKey } from "./key-ring.js";
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

function chosen(form) {
  return [...form.querySelectorAll("[data-person]")].filter((person) => {
    const tick = person.querySelector("input[type=checkbox]");
    return !tick || tick.checked;
  });
}

async function handOver(form, people, raw) {
  for (const person of people) {
    if (!isWhatWasShown(person)) throw new Error("not the key that was shown");
    const { person: id, publicKey } = person.dataset;
    const wrapped = await wrapFor(publicKey, raw);
    fill(form, { [`public_key-${id}`]: publicKey, [`wrapped_provider_key-${id}`]: wrapped });
  }
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
export async function beforeSubmit(form) {
  complain(form, "");
  const people = chosen(form);
  if (!people.length) {
    complain(form, word(form, "nobody"));
    return false;
  }
  const getting = people.filter(({ dataset }) => dataset.noKey === undefined);
  if (!getting.length) return true;
  const vault = await openVault();
  if (!vault) {
    complainLocked(form);
    return false;
  }
  try {
    const raw = await providerKey(vault);
    if (!raw) throw new Error("nothing to hand over");
    await handOver(form, getting, raw);
    return true;
  } catch {
    complain(form, word(form, "failed"));
    return false;
  }
}
