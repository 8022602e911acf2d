/**
 * A row's menu: the link leads to the client's page; with scripts the same list of actions opens
 * beside it. Arrow keys move, Escape closes, and focus goes back to the link.
 */
let menu = null;
let owner = null;
let pressedWhileOpen = false;

function place(link, box) {
  Object.assign(box.style, { inset: "auto", margin: "0" });
  const at = link.getBoundingClientRect();
  const left = Math.min(at.right, innerWidth - 8) - box.offsetWidth;
  const below = at.bottom + box.offsetHeight + 8 <= innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - box.offsetHeight - 4)}px`;
}

const entries = () => [...menu.querySelectorAll("a[href], button:not(:disabled)")];

function move(event) {
  const all = entries();
  const at = all.indexOf(document.activeElement);
  const goal = {
    ArrowDown: (at + 1) % all.length,
    ArrowUp: (at - 1 + all.length) % all.length,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (goal !== undefined) {
    event.preventDefault();
    all[goal]?.focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
  }
}

function closed(event) {
  if (event.newState !== "closed") return;
  const inside = menu.contains(document.activeElement) || document.activeElement === document.body;
  owner?.setAttribute("aria-expanded", "false");
  if (inside) owner?.focus();
  owner = null;
}

function makeMenu() {
  menu = document.createElement("div");
  menu.id = "row-menu";
  menu.className = "menu";
  menu.popover = "auto";
  menu.setAttribute("role", "group");
  menu.addEventListener("keydown", move);
  menu.addEventListener("beforetoggle", closed);
  addEventListener("resize", () => menu.hidePopover());
  document.body.append(menu);
}

async function fetchList(link) {
  const headers = { "HX-Request": "true", "HX-Request-Type": "partial" };
  const target = link.closest("[data-menu-target]")?.dataset.menuTarget;
  if (target) headers["HX-Target"] = target;
  const response = await fetch(link.dataset.menuSrc ?? link.href, { headers });
  if (!response.ok) throw new Error("no menu");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return document.adoptNode(page.body.firstElementChild);
}

document.addEventListener(
  "pointerdown",
  ({ target }) => {
    pressedWhileOpen = owner !== null && target.closest("[data-menu]") === owner;
  },
  true,
);

/** Opens the menu of a link, or closes it if it is open. @param {HTMLAnchorElement} link */
export async function toggle(link) {
  if (owner === link) {
    menu.hidePopover();
    return;
  }
  // The press has closed the open menu before the click comes: it must not open it again.
  if (pressedWhileOpen) {
    pressedWhileOpen = false;
    return;
  }
  if (!menu?.isConnected) makeMenu();
  try {
    menu.replaceChildren(await fetchList(link));
  } catch {
    location.assign(link.href);
    return;
  }
  window.htmx?.process(menu);
  menu.setAttribute("aria-label", link.getAttribute("aria-label") ?? link.textContent.trim());
  menu.showPopover();
  owner = link;
  link.setAttribute("aria-expanded", "true");
  link.setAttribute("aria-controls", menu.id);
  place(link, menu);
  entries()[0]?.focus();
}
