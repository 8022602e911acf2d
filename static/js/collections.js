/**
 * The list of collections: ticks all rows, and once the names can be read makes a tree of them,
 * searched and sorted here because the portal cannot read a name. Locked, it is the flat list that
 * the server wrote.
 */
import { openText } from "./crypto/envelope.js";
import { word } from "./forms.js";
import { pageKey } from "./key-ring.js";
import { events } from "./vault.js";

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const joined = (path) => path.join("/");

function compare(one, other, way) {
  for (let at = 0; at < one.length && at < other.length; at += 1) {
    const found = collator.compare(one[at], other[at]);
    if (found) return found * way;
  }
  return one.length - other.length;
}

class List {
  constructor(section) {
    this.section = section;
    this.body = section.querySelector("tbody");
    this.rows = [...this.body.querySelectorAll("[data-row]")];
    this.head = section.querySelector("thead th");
    this.way = 1;
    this.entries = [];
    this.addTickAll();
    events.addEventListener("unlocked", () => this.open());
    events.addEventListener("locked", () => this.close());
  }

  addTickAll() {
    if (!this.section.querySelector("[name=collection]")) return;
    const box = make("input", { type: "checkbox", ariaLabel: word(this.section, "all") });
    box.addEventListener("change", () => {
      for (const row of this.rows) {
        const tick = row.querySelector("[name=collection]");
        if (tick && !row.hidden) tick.checked = box.checked;
      }
    });
    this.head.prepend(box, " ");
  }

  async open() {
    const key = await pageKey("organization");
    if (!key || !this.section.isConnected) return;
    const read = async (row) => {
      const element = row.querySelector("sealed-text");
      const sealed = element?.getAttribute("sealed");
      const name = element
        ? await openText(sealed, key).catch(() => "\uffff")
        : row.querySelector("a").textContent;
      return { row, element, name, path: name.split("/").map((part) => part.trim()) };
    };
    this.entries = await Promise.all(this.rows.map(read));
    this.addTools();
    this.nest();
    this.sort();
  }

  /** A branch stands under the longest beginning of its name that is a collection itself. */
  nest() {
    const known = new Set(this.entries.map(({ path }) => joined(path)));
    for (const entry of this.entries) {
      const { path, element, row } = entry;
      const above = path.slice(1).map((_part, at) => path.slice(0, at + 1));
      entry.above = above.map(joined).filter((name) => known.has(name));
      const parent = entry.above.at(-1);
      element?.setAttribute("skip", parent === undefined ? 0 : parent.split("/").length);
      row.querySelector(".who").style.marginInlineStart = `${entry.above.length * 22}px`;
      row.querySelector("a > .sr")?.remove();
      const said = make("span", { className: "sr", textContent: `${parent} / ` });
      if (parent !== undefined) row.querySelector("a").prepend(said);
    }
  }

  sort() {
    this.entries.sort((one, other) => compare(one.path, other.path, this.way));
    this.body.prepend(...this.entries.map(({ row }) => row));
    this.head.ariaSort = this.way > 0 ? "ascending" : "descending";
  }

  addTools() {
    if (this.tools) return;
    const search = word(this.section, "search");
    const label = make("label", { className: "sr", htmlFor: "collections-q", textContent: search });
    this.box = make("input", { type: "search", id: "collections-q", placeholder: search });
    this.box.autocomplete = "off";
    this.box.addEventListener("input", () => this.filter());
    this.said = make("p", { role: "status" });
    const field = make("div", { className: "search" });
    field.append(label, ...this.lens(), this.box);
    this.tools = make("div", { className: "toolbar", role: "search" });
    this.tools.append(field, this.said);
    this.section.prepend(this.tools);
    this.turn = make("a", { className: "sort", href: "#collections-table", role: "button" });
    this.turn.textContent = this.way > 0 ? "↑" : "↓";
    this.turn.ariaLabel = word(this.section, "order");
    this.turn.addEventListener("click", (event) => {
      event.preventDefault();
      this.way = -this.way;
      this.turn.textContent = this.way > 0 ? "↑" : "↓";
      this.sort();
    });
    this.head.append(" ", this.turn);
  }

  /** The symbol of searching, out of the sprite that the page's other symbols come from. */
  lens() {
    const icon = document.querySelector("svg.icon")?.cloneNode(true);
    const use = icon?.querySelector("use");
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#search"));
    return icon ? [icon] : [];
  }

  /** Shows what matches, and the branches that it hangs on. */
  filter() {
    const wanted = fold(this.box.value.trim());
    const hits = this.entries.filter(({ name }) => fold(name).includes(wanted));
    const shown = new Set(hits.flatMap(({ path, above }) => [joined(path), ...above]));
    for (const { row, path } of this.entries) row.hidden = !shown.has(joined(path));
    this.said.textContent = hits.length ? "" : word(this.section, "none");
  }

  close() {
    this.tools?.remove();
    this.turn?.remove();
    this.tools = null;
    this.entries = [];
    this.head.ariaSort = null;
    for (const row of this.rows) {
      row.hidden = false;
      row.querySelector("sealed-text")?.removeAttribute("skip");
      row.querySelector("a > .sr")?.remove();
      row.querySelector(".who").style.marginInlineStart = "";
    }
    this.body.prepend(...this.rows);
  }
}

/** @param {HTMLElement} section */
export const setUp = (section) => new List(section).open();
