/**
 * Makes the children of `have` equal to those of `want` by changing only what differs, so that selections, focus and
 * running animations outlive an update. What carries `data-keep` is left alone.
 * @param {Element} have
 * @param {Element | DocumentFragment} want
 */
export function morph(have, want) {
  const wanted = [...want.childNodes];
  for (const [index, node] of wanted.entries()) {
    const old = have.childNodes[index];
    if (old === undefined) have.append(node);
    else if (old.nodeName !== node.nodeName) old.replaceWith(node);
    else if (old instanceof Element && node instanceof Element) morphElement(old, node);
    else if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue;
  }
  while (have.childNodes.length > wanted.length) have.lastChild?.remove();
}

/**
 * @param {Element} have
 * @param {Element} want
 */
function morphElement(have, want) {
  if (have.hasAttribute("data-keep") !== want.hasAttribute("data-keep")) {
    have.replaceWith(want);
    return;
  }
  if (have.hasAttribute("data-keep")) return;
  for (const { name } of [...have.attributes]) if (!want.hasAttribute(name)) have.removeAttribute(name);
  for (const { name, value } of want.attributes) {
    if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  morph(have, want);
}
