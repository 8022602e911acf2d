/**
 * The one script of every page: it fetches only what the page asks for.
 * Contract with the templates: docs/browser-modules.md.
 */
const root = document.documentElement;

// What a page may hold, and its module. Lazy ones wait for the submit.
const PARTS = [
  ["form[data-sign-in],form[data-second-factor]", "sign-in"],
  ["form[data-unlock]", "unlock"],
  ["form[data-make-account]", "account-keys"],
  ["form[data-accept-invitation]", "accept-keys"],
  ["form[data-change-password]", "change-password"],
  ["form[data-change-address]", "change-address"],
  ["form[data-make-provider-keys]", "provider-keys"],
  ["form[data-make-client-keys]", "client-keys"],
  ["form[data-confirm-member]", "confirm"],
  ["form[data-confirm-people]", "confirm-people"],
  ["form[data-recovery-sheet],form[data-recover-provider-key]", "recovery"],
  ["form[data-seal]", "seal"],
  ["form[data-lock],form[data-sign-out]", "lock", "lazy"],
  ["[data-collections]", "collections"],
  ["[data-key-work]", "key-work"],
  ["sealed-text", "sealed-text"],
  ["fingerprint-phrase", "fingerprint-phrase"],
];
const known = new WeakSet();
const passed = new WeakSet();

function scan() {
  for (const form of crypto.subtle ? [] : document.querySelectorAll("[data-text-insecure]")) {
    const place = form.querySelector("[data-form-error]");
    if (place) place.textContent = form.dataset.textInsecure;
  }
  for (const [selector, name, lazy] of crypto.subtle ? PARTS : []) {
    const fresh = [...document.querySelectorAll(selector)].filter((found) => !known.has(found));
    if (lazy || !fresh.length) continue;
    fresh.forEach((found) => known.add(found));
    import(`./${name}.js`).then((part) => fresh.forEach((found) => part.setUp?.(found)));
  }
}

// WebCrypto cannot answer inside the event, so the submit waits.
async function gate(event) {
  const { target: form, submitter } = event;
  const names = PARTS.filter(([selector]) => form.matches(selector)).map(([, name]) => name);
  if (!names.length || passed.delete(form)) return;
  if (!crypto.subtle && !form.dataset.textInsecure) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!crypto.subtle || form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  try {
    for (const name of names) {
      if (!(await (await import(`./${name}.js`)).beforeSubmit(form))) return;
    }
  } finally {
    form.ariaBusy = null;
  }
  passed.add(form);
  form.requestSubmit(submitter);
  passed.delete(form);
}

function press(event) {
  const away = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
  if (event.key !== "/" || away || event.target.closest("input:not([type=checkbox]),select,textarea")) return;
  const search = document.querySelector("main input[type=search]");
  if (search) event.preventDefault();
  search?.focus();
}

function click(event) {
  if (event.target.closest("[data-print]")) print();
  const source = event.target.closest("[data-copy]");
  if (source) import("./copy.js").then((part) => part.copy(source));
  const link = event.target.closest("[data-menu]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./row-menu.js").then((menu) => menu.toggle(link), () => location.assign(link.href));
}

const busy = new WeakMap();
function begin({ detail: { ctx } }) {
  const { target } = ctx;
  const timer = setTimeout(() => target?.setAttribute?.("aria-busy", "true"), 300);
  busy.set(ctx, () => (clearTimeout(timer), target?.removeAttribute?.("aria-busy")));
}

document.addEventListener("submit", gate, true);
document.addEventListener("keydown", press);
document.addEventListener("click", click);
document.addEventListener("htmx:before:request", begin);
document.addEventListener("htmx:finally:request", ({ detail }) => busy.get(detail.ctx)?.());
for (const name of ["htmx:after:swap", "portal:changed"]) document.addEventListener(name, scan);
scan();
if (root.dataset.vault === "unlocked") import("./auto-lock.js").then((part) => part.watch());
