/**
 * `<fingerprint-phrase account-id public-key>phrase</fingerprint-phrase>`: the server wrote a
 * phrase, the browser computes it again. If they differ, the form around it cannot be sent.
 */
import { fingerprintPhrase } from "./crypto/fingerprint.js";
import { word } from "./forms.js";

class FingerprintPhrase extends HTMLElement {
  connectedCallback() {
    this.check().catch(() => {
      this.dataset.state = "unchecked";
    });
  }

  async check() {
    const shown = this.textContent.trim();
    const phrase = await fingerprintPhrase(
      this.getAttribute("account-id"),
      this.getAttribute("public-key"),
    );
    if (shown && shown !== phrase) {
      this.refuse();
      return;
    }
    this.textContent = phrase;
    this.dataset.state = "same";
  }

  refuse() {
    this.dataset.state = "mismatch";
    this.setAttribute("role", "alert");
    this.textContent = word(this, "mismatch");
    const buttons = this.closest("form")?.querySelectorAll("button, input[type=submit]") ?? [];
    for (const button of buttons) button.disabled = true;
  }
}

customElements.define("fingerprint-phrase", FingerprintPhrase);
