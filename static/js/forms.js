/** What the modules share about forms. Every text comes from the page's data attributes. */

/** @param {Element} element @param {string} name @returns {string} the nearest `data-text-<name>` */
export function word(element, name) {
  const attribute = `data-text-${name}`;
  return element.closest(`[${attribute}]`)?.getAttribute(attribute) ?? "";
}

/** @param {HTMLFormElement} form @param {string} name @returns {string} of the hidden input */
export function value(form, name) {
  return form.elements.namedItem(name)?.value ?? "";
}

/** Sets hidden inputs by name. @param {HTMLFormElement} form @param {Record<string, string>} fields */
export function fill(form, fields) {
  for (const [name, text] of Object.entries(fields)) {
    let input = form.elements.namedItem(name);
    if (!input) {
      input = Object.assign(document.createElement("input"), { type: "hidden", name });
      form.append(input);
    }
    input.value = text;
  }
}

/** @param {Element} form @param {string} text shown in the form's `[data-form-error]` */
export function complain(form, text) {
  const place = form.querySelector("[data-form-error]");
  if (place) place.textContent = text;
}

/** Says that the vault is locked, with a way to unlock it and come back. @param {Element} form */
export function complainLocked(form) {
  complain(form, word(form, "locked"));
  const place = form.querySelector("[data-form-error]");
  const text = word(form, "unlock");
  if (!place || !text) return;
  const link = document.createElement("a");
  link.href = `/unlock?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = text;
  place.append(" ", link);
}

/** @param {HTMLFormElement} form */
export function clearErrors(form) {
  complain(form, "");
  for (const place of form.querySelectorAll("[data-error-for]")) place.textContent = "";
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/**
 * Shows the errors of an answer at their fields (`[data-error-for=name]`), the others above.
 * @param {HTMLFormElement} form
 * @param {{status: number, data: {errors?: Record<string, string|string[]>}}} answer
 */
export function showErrors(form, { data }) {
  clearErrors(form);
  const above = [];
  let first;
  for (const [name, error] of Object.entries(data.errors ?? { "": word(form, "failed") })) {
    const text = [error].flat().join(" ");
    const at = CSS.escape(name);
    const place = name ? form.querySelector(`[data-error-for="${at}"]`) : null;
    if (place) place.textContent = text;
    else above.push(text);
    const field = name ? form.querySelector(`[name="${at}"]:not([type=hidden])`) : null;
    field?.setAttribute("aria-invalid", "true");
    first ??= field;
  }
  complain(form, above.join(" "));
  first?.focus();
}

/** Says a mistake at a field without a name, and goes there. @param {HTMLInputElement} field */
export function pointAt(field, text) {
  complain(field.form, text);
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

/** Shows `data-text-working` in `[data-form-status]` while `work` runs. */
export async function whileWorking(form, work) {
  const status = form.querySelector("[data-form-status]");
  if (status) status.textContent = word(form, "working");
  try {
    return await work();
  } finally {
    if (status?.isConnected) status.textContent = "";
  }
}

/**
 * A button that only scripts can serve comes disabled, so that no press is lost before this.
 * @param {HTMLButtonElement|null} button @param {() => void} act
 */
export function onPress(button, act) {
  if (!button) return;
  button.addEventListener("click", act);
  button.disabled = false;
}

/** @param {string} [path] @returns {string} a path of this portal, never another site's address */
export function ownPath(path) {
  const url = new URL(path || "/", location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}
