/**
 * `<sealed-text sealed="2.…" key="organization">Locked</sealed-text>`: shows what is sealed, as
 * text, in its shadow root; while locked its own child, the word that the server wrote. `skip` is
 * the number of branches, up to a slash each, that stand above it in a tree.
 */
import { openText } from "./crypto/envelope.js";
import { pageKey } from "./key-ring.js";
import { events } from "./vault.js";

class SealedText extends HTMLElement {
  static observedAttributes = ["sealed", "key", "skip"];
  #turn = 0;
  #draw = () => this.draw();
  #root = this.attachShadow({ mode: "open" });

  connectedCallback() {
    for (const name of ["locked", "unlocked"]) events.addEventListener(name, this.#draw);
    this.draw();
  }

  disconnectedCallback() {
    for (const name of ["locked", "unlocked"]) events.removeEventListener(name, this.#draw);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.draw();
  }

  async draw() {
    const turn = (this.#turn += 1);
    const key = await pageKey(this.getAttribute("key") || "organization");
    const clear = key && (await openText(this.getAttribute("sealed") ?? "", key).catch(() => null));
    if (turn !== this.#turn) return;
    const shown = clear?.split("/").slice(this.getAttribute("skip") ?? 0).join("/");
    this.#root.replaceChildren(shown ?? document.createElement("slot"));
    this.dataset.state = clear === null ? "locked" : "open";
  }
}

customElements.define("sealed-text", SealedText);
