/**
 * Copies the text of the element that `data-copy` selects. Without a clipboard (no https) the
 * text is selected instead, so that the person's own keys copy it.
 * @param {HTMLElement} button
 */
export async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  const text = source.innerText.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(source);
    return;
  }
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.textCopied;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => {
    label.textContent = before;
  }, 2000);
}
