/**
 * How good a master password is: a rough measure, and what organizations ask. It is judged here
 * alone, since the password never leaves the browser.
 */
import { fill, pointAt, word } from "./forms.js";
import { post } from "./http.js";

export const MINIMUM_LENGTH = 12;
const KINDS = { lower: /\p{Ll}/u, upper: /\p{Lu}/u, digits: /\d/, special: /[^\p{L}\d]/u };
// What guessers try first counts as one letter each: frequent words, rows of keys, runs.
const FREQUENT =
  /passw[o0]rd|motdepasse|welcome|bonjour|azerty|qwert[yz]|letmein|admin|login|secret|soleil|dragon|monkey|master|iloveyou|(?:0123|1234|2345|3456|4567|5678|6789|7890|abcd|bcde|cdef|asdf|qsdf|zxcv|wxcv)+\d?/gi;

/** @param {string} password @returns {number} 0 for none, 1 weak, 2 fair, 3 good, 4 strong */
export function strength(password) {
  if (!password) return 0;
  if (password.length < MINIMUM_LENGTH) return 1;
  const rest = password.replace(FREQUENT, "*");
  const kinds = Object.values(KINDS).filter((kind) => kind.test(rest)).length;
  const bits = new Set(rest.toLowerCase()).size * (2 + kinds * 0.5) + rest.length * 0.5;
  return Math.min(4, 1 + Math.floor(bits / 20));
}

/**
 * @param {[string, number, string][]} checks what, the least of it, the sentence if it is not so
 * @param {string} password
 * @returns {string} the first sentence that is not met; empty where all are
 */
export function unmet(checks, password) {
  const met = (what, least) => {
    if (what === "length") return password.length >= least;
    return what === "complexity" ? strength(password) >= least : KINDS[what].test(password);
  };
  return checks.find(([what, least]) => !met(what, least))?.[2] ?? "";
}

/**
 * What an organization asks at sign-in. Who does not meet it is let in to change it alone.
 * @param {{checks: [string, number, string][], token: string}} rules
 * @param {string} password empty after a page of its own for the second factor
 */
export async function declare(rules, password) {
  if (!password || unmet(rules.checks, password)) return;
  await post("/session/password-rules", { password_rules: rules.token });
}

/** Shows how good it is while it is typed. @param {HTMLFormElement} form */
export function watch(form) {
  const meter = form.querySelector("[data-password-strength]");
  const password = form.querySelector("[data-master-password]");
  const judge = () => {
    if (meter) meter.value = strength(password.value);
  };
  password.addEventListener("input", () => {
    password.removeAttribute("aria-invalid");
    judge();
  });
  // Something may have been typed while this was on its way.
  judge();
}

/**
 * Checks a new master password typed twice, and declares to the portal that it was checked.
 * @param {HTMLFormElement} form @returns {boolean} else the mistake is told at its field
 */
export function isGoodEnough(form) {
  const password = form.querySelector("[data-master-password]");
  const repeat = form.querySelector("[data-master-password-repeat]");
  const { passwordChecks: checks, passwordToken: token } = form.dataset;
  const asked = unmet(JSON.parse(checks || "[]"), password.value);
  if (password.value.length < MINIMUM_LENGTH) pointAt(password, asked || word(form, "short"));
  else if (asked) pointAt(password, asked);
  else if (repeat && repeat.value !== password.value) pointAt(repeat, word(form, "differ"));
  else {
    fill(form, { password_rules: token ?? "" });
    return true;
  }
  return false;
}
