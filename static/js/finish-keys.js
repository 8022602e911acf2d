/** Clients that were made without keys get them here, one after the other, with progress. */
import { onPress, word } from "./forms.js";
import { post } from "./http.js";
import { providerKey } from "./key-ring.js";
import { makeOrganizationKeys, sealedByProvider } from "./organization-keys.js";
import { openVault } from "./vault.js";

const DONE = "done";

function say(row, state) {
  row.dataset.state = state;
  const place = row.querySelector("[data-status]") ?? row.appendChild(document.createElement("span"));
  place.dataset.status = "";
  place.textContent = word(row, state);
}

async function finish(row) {
  const vault = await openVault();
  const raw = vault && (await providerKey(vault));
  if (!raw) return "locked";
  const name = row.dataset.collectionName ?? row.parentElement.dataset.collectionName;
  const { fields } = await makeOrganizationKeys(name, sealedByProvider(raw));
  const { ok, status } = await post(row.dataset.post, fields);
  if (ok) return DONE;
  return status === 409 ? "faster" : "failed";
}

async function run(list, button, progress, status) {
  const open = [...list.querySelectorAll("[data-post]")].filter(
    ({ dataset }) => dataset.state !== DONE && dataset.state !== "faster",
  );
  button.disabled = true;
  if (progress) Object.assign(progress, { max: open.length, value: 0 });
  let state;
  for (const row of open) {
    say(row, "working");
    state = await finish(row).catch(() => "failed");
    say(row, state);
    if (state === "locked") break;
    if (progress) progress.value += 1;
  }
  const left = open.some(({ dataset }) => ["failed", "locked"].includes(dataset.state));
  button.disabled = !left;
  if (status) status.textContent = word(list, left ? "unfinished" : "finished");
}

/** @param {HTMLElement} list `<ol data-key-work="finish-keys">` */
export function setUp(list) {
  const section = list.closest("section, main") ?? document;
  const button = section.querySelector("[data-finish-keys-start]");
  const progress = section.querySelector("progress");
  const status = section.querySelector("[data-finish-keys-status]");
  onPress(button, () => run(list, button, progress, status));
}
