/**
 * Handing keys of clients over: each is opened with the provider key and wrapped for the person
 * whose phrase stands on the page. A closed tab is carried on where it stopped.
 */
import { clientOpener } from "./client-opener.js";
import { wrapFor } from "./crypto/keys.js";
import { onPress, word } from "./forms.js";
import { get, post } from "./http.js";
import { keyRing } from "./key-ring.js";
import { openVault } from "./vault.js";

/** What ends a run; `message` is the name of the text that says why. */
class Stop extends Error {}

async function ask(url, person, after) {
  const { ok, data } = await get(`${url}/work?person=${person}&after=${after}`);
  if (!ok || !data.items) throw new Stop("failed");
  return data;
}

async function send(url, fields) {
  const { ok, status, data } = await post(`${url}/batch`, fields);
  if (status === 409) throw new Stop("changed");
  if (!ok || !("done" in data)) throw new Stop("failed");
}

// Keys are wrapped for the people whose phrases stand on the page, and for nobody else.
function shownKey(row) {
  const phrase = row.querySelector("fingerprint-phrase");
  return phrase.dataset.state === "mismatch" ? null : phrase.getAttribute("public-key");
}

// Returns how many could not be opened: they stop nobody else's.
async function wrapAll(items, openKey, publicKey, fields) {
  let closed = 0;
  for (const { id, key, version } of items) {
    const raw = await openKey(key).catch(() => null);
    if (!raw) {
      closed += 1;
      continue;
    }
    fields[`key-${id}`] = await wrapFor(publicKey, raw);
    fields[`version-${id}`] = version;
  }
  return closed;
}

async function serve(section, row, openKey, step) {
  const { url } = section.dataset;
  const { person } = row.dataset;
  let [after, closed] = ["", 0];
  for (;;) {
    const { items, public_key: publicKey } = await ask(url, person, after);
    if (!items.length) return closed;
    if (shownKey(row) !== publicKey) throw new Stop("changed");
    const fields = {
      person,
      public_key: publicKey,
      provider_public_key: keyRing().provider.public_key,
    };
    closed += await wrapAll(items, openKey, publicKey, fields);
    await send(url, fields);
    after = items.at(-1).id;
    step(items.length);
  }
}

async function handOver(section, progress) {
  const vault = await openVault();
  const openKey = vault && (await clientOpener(vault));
  if (!openKey) throw new Stop("locked");
  progress.value = 0;
  let closed = 0;
  for (const row of section.querySelectorAll("[data-person]")) {
    closed += await serve(section, row, openKey, (count) => {
      progress.value += count;
    });
  }
  progress.value = progress.max;
  return closed ? "left" : "finished";
}

async function run(section, button, progress, status) {
  const say = (name) => {
    status.textContent = word(section, name);
  };
  button.disabled = true;
  say("working");
  try {
    say(await handOver(section, progress));
  } catch (error) {
    say(error instanceof Stop ? error.message : "failed");
    button.disabled = false;
  }
}

/** @param {HTMLElement} section `[data-key-work=hand-over]` */
export function setUp(section) {
  const button = section.querySelector("[data-hand-over-start]");
  const progress = section.querySelector("progress");
  const status = section.querySelector("[data-hand-over-status]");
  onPress(button, () => run(section, button, progress, status));
}
