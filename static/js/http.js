/** The little JSON that the browser speaks with the portal. */

const meta = () => document.querySelector("meta[name=csrf-token]");

/**
 * @typedef {{ok: boolean, status: number, data: any}} Answer  status 0: no answer at all
 *
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Answer>}
 */
async function request(url, options) {
  const headers = { Accept: "application/json", "X-CSRFToken": meta()?.content ?? "" };
  try {
    const response = await fetch(url, { credentials: "same-origin", headers, ...options });
    const json = response.headers.get("Content-Type")?.startsWith("application/json");
    const data = json ? await response.json() : {};
    if (data.csrf_token && meta()) meta().content = data.csrf_token;
    return { ok: response.ok, status: response.status, data };
  } catch {
    return { ok: false, status: 0, data: {} };
  }
}

/** @param {string} url @returns {Promise<Answer>} */
export function get(url) {
  return request(url, { cache: "no-store" });
}

/**
 * @param {string} url
 * @param {FormData|Record<string, string>} [fields] sent form-encoded
 * @param {{keepalive?: boolean}} [options]
 * @returns {Promise<Answer>}
 */
export function post(url, fields = {}, options = {}) {
  const body = new URLSearchParams(fields instanceof FormData ? [...fields] : fields);
  const token = meta()?.content;
  if (token && !body.get("csrf_token")) body.set("csrf_token", token);
  return request(url, { method: "POST", body, ...options });
}
