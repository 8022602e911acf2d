/**
 * While the vault is unlocked: plain users of verified domains who have accepted are confirmed.
 * The portal says whom, and asks everything again when the wrapped keys arrive.
 */
import { fingerprintPhrase } from "./crypto/fingerprint.js";
import { wrapFor } from "./crypto/keys.js";
import { get, post } from "./http.js";
import { organizationKey } from "./key-ring.js";
import { openVault } from "./vault.js";

const EVERY = 60_000;
const root = document.documentElement;

// As on the page where people confirm: the phrase must belong to the key that is wrapped for.
async function wrapped(raw, member) {
  const { id, account_id: account, public_key: publicKey, phrase } = member;
  if ((await fingerprintPhrase(account, publicKey)) !== phrase) return {};
  return { [`public_key-${id}`]: publicKey, [`wrapped_key-${id}`]: await wrapFor(publicKey, raw) };
}

async function handOver(url, vault, { ring, members }) {
  const raw = await organizationKey(vault, ring.organization, ring);
  if (!raw) return;
  const fields = { key_version: ring.organization.version };
  for (const member of members) {
    Object.assign(fields, await wrapped(raw, member).catch(() => ({})));
  }
  raw.fill(0);
  if (Object.keys(fields).length > 1) tell((await post(url, fields)).data.said);
}

function tell(said) {
  const place = document.getElementById("notices");
  if (!said || !place) return;
  const line = Object.assign(document.createElement("p"), { textContent: said });
  const note = Object.assign(document.createElement("div"), { className: "notice good" });
  note.append(line);
  place.append(note);
}

async function look(url) {
  let after = "";
  do {
    const vault = await openVault();
    const { ok, data } = vault ? await get(`${url}?after=${after}`) : {};
    if (!ok) return;
    if (data.members.length) await handOver(url, vault, data);
    ({ after } = data);
  } while (after);
}

/** @param {HTMLElement} place `<div data-key-work="auto-confirm" data-url>` */
export function setUp(place) {
  let last = 0;
  const turn = async () => {
    const rests = document.hidden || root.dataset.vault !== "unlocked";
    if (rests || Date.now() - last < EVERY / 2) return;
    last = Date.now();
    // One tab of a browser is enough.
    await navigator.locks.request("auto-confirm", { ifAvailable: true }, async (lock) => {
      if (lock) await look(place.dataset.url);
    });
  };
  const calmly = () => turn().catch(() => {});
  setInterval(calmly, EVERY);
  document.addEventListener("visibilitychange", calmly);
  calmly();
}
