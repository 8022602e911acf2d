/**
 * Rotating the key of one organization: what the old key wrapped is opened and sealed with the new
 * one, which is wrapped for everybody who had the old one. All of it goes in one request.
 */
import { importKey, newKey, open, seal } from "./crypto/envelope.js";
import { wrapFor } from "./crypto/keys.js";
import { onPress, word } from "./forms.js";
import { get, post } from "./http.js";
import { organizationKey, providerKey } from "./key-ring.js";
import { openVault } from "./vault.js";

/** What ends a run; `message` is the name of the text that says why. */
class Stop extends Error {}

// What the page shows is what is rotated: its version names people, keys and collections.
async function ask({ url, version }) {
  const { ok, data } = await get(`${url}/work`);
  if (!ok || !("version" in data)) throw new Stop("failed");
  if (data.version !== version) throw new Stop("changed");
  return data;
}

function checkShown(section, people) {
  const keys = new Map(people.map(({ id, public_key: publicKey }) => [id, publicKey]));
  for (const row of section.querySelectorAll("[data-holder]")) {
    const phrase = row.querySelector("fingerprint-phrase");
    const same = phrase.getAttribute("public-key") === keys.get(row.dataset.holder);
    if (phrase.dataset.state === "mismatch" || !same) throw new Stop("changed");
  }
}

// Under the provider key for who holds it, else for the provider's public key.
async function wrapForProvider(vault, publicKey, raw) {
  if (!publicKey) return "";
  const own = await providerKey(vault);
  return own ? seal(raw, await importKey(own)) : wrapFor(publicKey, raw);
}

async function anew(sealed, oldKey, key) {
  const clear = await open(sealed, oldKey).catch(() => null);
  if (!clear) throw new Stop("unreadable");
  return seal(clear, key);
}

async function wrapAll(work, vault, step) {
  const old = await organizationKey(vault).catch(() => null);
  if (!old) throw new Stop("unreadable");
  const raw = newKey();
  const [oldKey, key] = await Promise.all([importKey(old), importKey(raw)]);
  const fields = {
    version: work.version,
    organization_private_key: await anew(work.private_key, oldKey, key),
    provider_wrapped_key: await wrapForProvider(vault, work.provider_public_key, raw),
  };
  for (const { id, name } of work.collections) {
    fields[`collection-${id}`] = await anew(name, oldKey, key);
  }
  for (const kind of ["people", "members"]) {
    const prefix = kind === "people" ? "person" : "member";
    for (const { id, public_key: publicKey } of work[kind]) {
      fields[`${prefix}-${id}`] = await wrapFor(publicKey, raw);
      step();
    }
  }
  return fields;
}

async function send(url, fields) {
  const { ok, status, data } = await post(url, fields);
  if (status === 409) throw new Stop("changed");
  if (status === 422) throw new Stop("failed");
  // A sign-in that is too old is sent elsewhere to prove itself.
  if (!ok || !data.next) throw new Stop(ok ? "stale" : "failed");
  return data.next;
}

async function run(section, button, progress, status) {
  const say = (name) => {
    status.textContent = word(section, name);
  };
  button.disabled = true;
  say("working");
  try {
    const vault = await openVault();
    if (!vault) throw new Stop("locked");
    const work = await ask(section.dataset);
    const people = [...work.people, ...work.members];
    checkShown(section, people);
    Object.assign(progress, { max: people.length || 1, value: 0 });
    const fields = await wrapAll(work, vault, () => {
      progress.value += 1;
    });
    const next = await send(section.dataset.url, fields);
    say("finished");
    location.assign(next);
  } catch (error) {
    say(error instanceof Stop ? error.message : "failed");
    button.disabled = false;
  }
}

/** @param {HTMLElement} section `[data-key-work=rotate-organization-key]` */
export function setUp(section) {
  const button = section.querySelector("[data-rotate-start]");
  const progress = section.querySelector("progress");
  const status = section.querySelector("[data-rotate-status]");
  onPress(button, () => run(section, button, progress, status));
}
