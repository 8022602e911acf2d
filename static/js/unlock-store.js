/**
 * Where an unlocked vault outlives its page: one record in IndexedDB, useless without the secret
 * that the server keeps for this session. Where IndexedDB refuses, it lasts as long as the page.
 *
 * @typedef {{accountId: string, sessionId: string, expires: number, sessionEnds: number,
 *   lockMinutes: number, signsOut: boolean, iv: Uint8Array, ct: Uint8Array}} UnlockRecord  times in ms since 1970
 */
const DATABASE = "portal-vault";
const STORE = "unlocked";
const KEY = "vault";

let refused = false;
let inMemory = null;

function connect() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = () => reject(opening.error);
  });
}

async function inStore(mode, act) {
  const database = await connect();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** @returns {Promise<UnlockRecord|null>} */
export async function readRecord() {
  if (refused) return inMemory;
  try {
    return (await inStore("readonly", (store) => store.get(KEY))) ?? null;
  } catch {
    refused = true;
    return inMemory;
  }
}

/** @param {UnlockRecord} record */
export async function writeRecord(record) {
  inMemory = record;
  if (refused) return;
  try {
    await inStore("readwrite", (store) => store.put(record, KEY));
    inMemory = null;
  } catch {
    refused = true;
  }
}

export async function deleteRecord() {
  inMemory = null;
  try {
    await inStore("readwrite", (store) => store.delete(KEY));
  } catch {
    refused = true;
  }
}
