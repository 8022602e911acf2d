/**
 * How long the vault stays unlocked: until the person locks it, signs out, or does not touch the
 * portal for a while, in any tab. Holds no keys; `events` tells those who do ("locked",
 * "unlocked").
 */
import { get, post } from "./http.js";
import { deleteRecord, readRecord, writeRecord } from "./unlock-store.js";

const MINUTE = 60_000;
const root = document.documentElement;
const channel = new BroadcastChannel("portal-vault");
let timer;
let expires = 0;
let touched = 0;
let reported = Date.now();

export const events = new EventTarget();

function show(state) {
  root.dataset.vault = state;
  events.dispatchEvent(new Event(state));
}

function isOfThisPage({ accountId, sessionId }) {
  const { accountId: account, sessionId: session } = root.dataset;
  return (!account || account === accountId) && (!session || session === sessionId);
}

/**
 * The record of this very session. One that does not match is deleted before any use, one that
 * has run out locks.
 * @returns {Promise<import("./unlock-store.js").UnlockRecord|null>}
 */
export async function currentRecord() {
  const record = await readRecord();
  if (!record) return null;
  if (!isOfThisPage(record)) {
    await deleteRecord();
    return null;
  }
  if (record.expires <= Date.now()) {
    await lock();
    if (record.signsOut) {
      await post("/sign-out");
      location.reload();
    }
    return null;
  }
  return record;
}

function arm(moment) {
  expires = moment;
  clearTimeout(timer);
  timer = setTimeout(check, Math.max(0, moment - Date.now()));
}

// Another tab may have been used meanwhile, so the record decides, not this page's clock.
async function check() {
  const record = await currentRecord();
  if (record) arm(record.expires);
  else if (root.dataset.vault === "unlocked") leave();
}

// An organization may ask for less since then: each page says what holds now.
function end({ lockMinutes, sessionEnds }) {
  const minutes = Math.min(lockMinutes, Number(root.dataset.lockMinutes) || lockMinutes);
  return Math.min(Date.now() + minutes * MINUTE, sessionEnds);
}

async function touch() {
  const now = Date.now();
  if (!expires || now - touched < MINUTE / 4) return;
  touched = now;
  if (now >= expires) {
    await check();
    return;
  }
  const record = await currentRecord();
  if (!record) {
    await check();
    return;
  }
  await writeRecord({ ...record, expires: end(record) });
  arm(end(record));
  // The server drops a secret that nobody asks for; use without page loads must not look idle.
  if (now - reported < (end(record) - now) / 3) return;
  reported = now;
  const { status, data } = await get("/session/vault");
  if (status && !data.secret) await lock({ tell: false });
}

function leave() {
  expires = 0;
  clearTimeout(timer);
  show("locked");
}

/** Keeps a freshly unlocked vault. @param {object} record an UnlockRecord without `expires` */
export async function keep(record) {
  const kept = { ...record, expires: end(record) };
  await writeRecord(kept);
  reported = Date.now();
  arm(kept.expires);
  show("unlocked");
  channel.postMessage({ type: "unlocked", sessionId: record.sessionId });
}

/** Deletes the record and locks every tab; the server drops the secret. */
export async function lock({ tell = true } = {}) {
  const { sessionId } = (await readRecord()) ?? root.dataset;
  await deleteRecord();
  leave();
  channel.postMessage({ type: "locked", sessionId });
  if (tell) await post("/session/lock", {}, { keepalive: true });
}

/** Forgets a record that turned out to be unusable; other tabs find out for themselves. */
export async function forget() {
  await deleteRecord();
  leave();
}

/** For a page that the server believes to be unlocked: counts down, and says if it is not so. */
export async function watch() {
  if (expires) return;
  const record = await currentRecord();
  if (record && record.expires > end(record)) {
    await writeRecord({ ...record, expires: end(record) });
  }
  await check();
}

channel.addEventListener("message", ({ data }) => {
  if (data.sessionId !== root.dataset.sessionId) return;
  if (data.type === "locked") {
    deleteRecord().then(leave);
  } else {
    root.dataset.vault = "unlocked";
    check().then(() => events.dispatchEvent(new Event("unlocked")));
  }
});
for (const name of ["pointerdown", "keydown"]) {
  document.addEventListener(name, touch, { capture: true, passive: true });
}
// A laptop that slept, or a page taken back from history, has missed its timer.
document.addEventListener("visibilitychange", () => !document.hidden && expires && check());
addEventListener("pageshow", (event) => event.persisted && expires && check());
