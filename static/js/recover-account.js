/**
 * Recovering a member's account: their user key is opened with the organization's private key and
 * wrapped with a temporary master password. Nothing is sent before that key has opened the private
 * key which belongs to the public key on record: a wrong enrolment must not destroy an account.
 */
import { random } from "./crypto/bytes.js";
import { importKey, open, seal } from "./crypto/envelope.js";
import { ITERATIONS, KDF } from "./crypto/kdf.js";
import { importPrivateKey, unwrap, wrapFor } from "./crypto/keys.js";
import { onPress, word } from "./forms.js";
import { post } from "./http.js";
import { organizationKey } from "./key-ring.js";
import { derive } from "./present-password.js";
import { openVault } from "./vault.js";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

class Stop extends Error {}

// 100 random bits in four groups that can be read over the telephone.
function newPassword() {
  const letters = [...random(20)].map((byte) => ALPHABET[byte & 31]).join("");
  return letters.match(/.{5}/g).join("-");
}

async function openedUserKey(vault, dataset) {
  const key = await organizationKey(vault);
  if (!key) throw new Stop("failed");
  const pkcs8 = await open(dataset.organizationPrivateKey, await importKey(key));
  return unwrap(dataset.wrappedUserKey, await importPrivateKey(pkcs8));
}

async function checkOpens(raw, { privateKey, publicKey }) {
  try {
    const pkcs8 = await open(privateKey, await importKey(raw));
    const probe = random(32);
    const back = await unwrap(await wrapFor(publicKey, probe), await importPrivateKey(pkcs8));
    if (back.every((byte, at) => byte === probe[at])) return;
  } catch {
    // Said below, whatever did not fit.
  }
  throw new Stop("mismatch");
}

async function make(vault, dataset) {
  const { email } = dataset;
  const raw = await openedUserKey(vault, dataset).catch((error) => {
    throw error instanceof Stop ? error : new Stop("mismatch");
  });
  await checkOpens(raw, dataset);
  const password = newPassword();
  const next = await derive(email, password, { kdf: KDF, iterations: ITERATIONS });
  const wrapped = await seal(raw, await importKey(next.stretched));
  raw.fill(0);
  const fields = {
    email,
    public_key: dataset.publicKey,
    new_signin_hash: next.hash,
    kdf_iterations: String(ITERATIONS),
    protected_user_key: wrapped,
  };
  return { password, fields };
}

async function run(section, button, status) {
  const say = (text) => {
    status.textContent = text;
  };
  button.disabled = true;
  say(word(section, "working"));
  try {
    const vault = await openVault();
    if (!vault) throw new Stop("locked");
    const { password, fields } = await make(vault, section.dataset);
    const answer = await post(section.dataset.url, fields);
    if (answer.status === 401) throw new Stop("stale");
    if (answer.status && !answer.ok) {
      say(answer.data.errors?.[""] ?? word(section, "failed"));
      button.disabled = false;
      return;
    }
    section.querySelector("[data-temporary-password]").textContent = password;
    say(word(section, answer.ok ? "done" : "unsure"));
  } catch (error) {
    say(word(section, error instanceof Stop ? error.message : "failed"));
    button.disabled = false;
  }
}

/** @param {HTMLElement} section `[data-key-work=recover-account]` */
export function setUp(section) {
  const button = section.querySelector("[data-recover-start]");
  const status = section.querySelector("[data-recover-status]");
  onPress(button, () => run(section, button, status));
}
