/** The recovery sheet: the provider key wrapped by a printed code, and back. */
import { newCode, openWithCode, wrapWithCode } from "./crypto/recovery.js";
import { complain, complainLocked, fill, pointAt, value, word } from "./forms.js";
import { providerKey } from "./key-ring.js";
import { events, openVault, wrapForMe } from "./vault.js";

async function write(form) {
  const vault = await openVault();
  if (!vault) return complainLocked(form);
  const raw = await providerKey(vault);
  if (!raw) return complain(form, word(form, "failed"));
  const code = newCode();
  fill(form, { recovery_wrapped_key: await wrapWithCode(raw, code) });
  // The code stands outside of the form where the sheet is printed.
  const place = document.querySelector("[data-recovery-code]");
  place.textContent = code;
  complain(form, "");
}

/** @param {HTMLFormElement} form */
export async function setUp(form) {
  if (!form.matches("[data-recovery-sheet]")) return;
  const start = () => write(form).catch(() => complain(form, word(form, "failed")));
  events.addEventListener("unlocked", () => value(form, "recovery_wrapped_key") || start());
  await start();
}

async function restore(form) {
  const input = form.querySelector("[data-recovery-code-input]");
  const vault = await openVault();
  if (!vault) {
    complainLocked(form);
    return false;
  }
  try {
    const raw = await openWithCode(form.dataset.recoveryWrappedKey, input.value);
    fill(form, { wrapped_provider_key: await wrapForMe(vault, raw) });
    return true;
  } catch {
    pointAt(input, word(form, "wrong"));
    return false;
  }
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
export async function beforeSubmit(form) {
  if (form.matches("[data-recover-provider-key]")) return restore(form);
  if (value(form, "recovery_wrapped_key")) return true;
  complainLocked(form);
  return false;
}
