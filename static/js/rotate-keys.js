/**
 * Rotating the provider key: a new one is made and wrapped for everybody on the page, and each
 * client's key is wrapped again, batch by batch. A closed tab is carried on where it stopped.
 */
import { clientOpener } from "./client-opener.js";
import { importKey, newKey, seal } from "./crypto/envelope.js";
import { newKeyPair, unwrap, wrapFor } from "./crypto/keys.js";
import { onPress, word } from "./forms.js";
import { get, post } from "./http.js";
import { openVault, wrapForMe } from "./vault.js";

const PATIENCE = 20;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What ends a run; `message` is the name of the text that says why. */
class Stop extends Error {}

// Whether it was done; not, if the world had changed. Any other answer is no answer of this page.
async function send(url, fields, otherwise = "failed") {
  const { status } = await post(url, fields);
  if (status !== 204 && status !== 409) throw new Stop(otherwise);
  return status === 204;
}

async function ask(url) {
  const { ok, data } = await get(url);
  if (!ok || !("rotation" in data)) throw new Stop("failed");
  return data;
}

async function begin(url, vault) {
  const raw = newKey();
  const [key, pair] = await Promise.all([importKey(raw), newKeyPair()]);
  const fields = {
    public_key: pair.publicKey,
    protected_private_key: await seal(pair.privateKey, key),
    wrapped_provider_key: await wrapForMe(vault, raw),
  };
  // A sign-in that is too old is sent elsewhere to prove itself.
  await send(url, fields, "stale");
}

// Keys are wrapped for the people whose phrases stand on the page, and for nobody else.
function isShown(section, { id, public_key: publicKey }) {
  const row = section.querySelector(`[data-holder="${CSS.escape(id)}"]`);
  const phrase = row?.querySelector("fingerprint-phrase");
  return phrase?.getAttribute("public-key") === publicKey && phrase.dataset.state !== "mismatch";
}

async function wrapAll(section, work, raw, openOld) {
  const fields = { rotation: work.rotation };
  for (const person of work.people) {
    if (!isShown(section, person)) throw new Stop("changed");
    fields[`person-${person.id}`] = await wrapFor(person.public_key, raw);
  }
  const key = await importKey(raw);
  for (const client of work.clients) {
    fields[`client-${client.id}`] = await seal(await openOld(client.key), key);
    fields[`version-${client.id}`] = client.version;
  }
  return fields;
}

async function carryOn(section, vault, show) {
  const { url } = section.dataset;
  const openOld = await clientOpener(vault);
  if (!openOld) throw new Stop("locked");
  for (let waited = 0; waited < PATIENCE; ) {
    const work = await ask(`${url}/work`);
    if (!work.rotation || work.is_orphan) {
      await begin(url, vault);
    } else if (!work.next_key) {
      // Another admin's browser has begun, and hands the next key over in a moment.
      waited += 1;
      await pause(500);
    } else if (work.people.length || work.clients.length) {
      show(work);
      const raw = await unwrap(work.next_key, vault.privateKey);
      await send(`${url}/batch`, await wrapAll(section, work, raw, openOld));
    } else {
      show(work);
      if (await send(`${url}/finish`, { rotation: work.rotation })) return;
      waited += 1;
    }
  }
  throw new Stop("busy");
}

async function run(section, button, progress, status) {
  const say = (name) => {
    status.textContent = word(section, name);
  };
  const show = ({ done, total }) => Object.assign(progress, { max: total || 1, value: done });
  button.disabled = true;
  say("working");
  try {
    const vault = await openVault();
    if (!vault) throw new Stop("locked");
    await carryOn(section, vault, show);
    progress.value = progress.max;
    say("finished");
    location.assign(section.dataset.next);
  } catch (error) {
    say(error instanceof Stop ? error.message : "failed");
    button.disabled = false;
  }
}

/** @param {HTMLElement} section `[data-key-work=rotate-keys]` */
export function setUp(section) {
  const button = section.querySelector("[data-rotate-start]");
  const progress = section.querySelector("progress");
  const status = section.querySelector("[data-rotate-status]");
  onPress(button, () => run(section, button, progress, status));
}
