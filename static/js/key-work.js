/** The pages on which a browser works through many keys; each has a module of its own. */
const WORK = {
  "auto-confirm": () => import("./auto-confirm.js"),
  "confirm-members": () => import("./confirm-members.js"),
  "enrol-recovery": () => import("./enrol-recovery.js"),
  "finish-keys": () => import("./finish-keys.js"),
  "hand-over": () => import("./hand-over.js"),
  "recover-account": () => import("./recover-account.js"),
  "rotate-keys": () => import("./rotate-keys.js"),
  "rotate-organization-key": () => import("./rotate-organization-key.js"),
};

/** @param {HTMLElement} section `[data-key-work]` */
export async function setUp(section) {
  (await WORK[section.dataset.keyWork]()).setUp(section);
  // Says that a click is heard from now on.
  section.dataset.ready = "";
}
