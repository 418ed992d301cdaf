// The little that is needed to draw with: make elements, and bring what is on the screen to what it should be.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "line", "rect", "text", "g", "defs", "marker"]);
const HANDLERS = ["onclick", "oninput", "onchange", "onkeydown", "onfocus", "onblur", "onsubmit"];

// Make an element: h("button", {class: "next", onclick: go}, "Next"). Children may be text, elements, lists, or null.
export function h(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Change `from`, which is on the screen, into `to`, keeping the elements: the focus and the caret stay where they are.
export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || markOf(from) !== markOf(to)) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return from;
  }
  copyAttributes(from, to);
  for (const name of HANDLERS) if (from[name] !== to[name]) from[name] = to[name];
  if (from.hasAttribute("data-drawn")) return from; // what is drawn into it, is drawn by someone else
  const [old, fresh] = [[...from.childNodes], [...to.childNodes]];
  fresh.forEach((child, at) => (at < old.length ? morph(old[at], child) : from.append(child)));
  old.slice(fresh.length).forEach((child) => child.remove());
  if (from.nodeName === "SELECT") from.value = from.getAttribute("data-value");
  return from;
}

function markOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function copyAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "style" && from.hasAttribute("data-fit"))) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.nodeName === "INPUT") {
    const value = to.getAttribute("value") ?? "";
    if (from.type === "checkbox") from.checked = to.hasAttribute("checked");
    else if (from.value !== value) from.value = value;
  }
}
