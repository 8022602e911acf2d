/** Lock and Sign out: the record goes first, then the form as any other. */
import { lock } from "./auto-lock.js";

/** @returns {Promise<boolean>} */
export async function beforeSubmit() {
  await lock({ tell: false });
  return true;
}
