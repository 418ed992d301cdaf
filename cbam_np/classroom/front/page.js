// The page that needs nothing: the browser computes, and the state lives in the address.

import { Explorer } from "./explorer.js";
import { firstState, fromAddress, toAddress } from "./state.js";

export function showPage(root, begin) {
  root.classList.add("page");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = dark.matches ? "dark" : "light";
  const first = firstState(begin);
  const { state, ignored } = fromAddress(location.hash.slice(1), first, begin);
  if (ignored.length) root.before(notice(`Parts of this link could not be used: ${ignored.join(", ")}.`));
  let timer = null;
  const onState = (now) => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", `#${toAddress(now, first)}`), 200);
  };
  const explorer = new Explorer(root, begin, { kept: state, onState });
  window.addEventListener("resize", () => explorer.fit());
  dark.addEventListener("change", () => {
    root.dataset.theme = dark.matches ? "dark" : "light";
    explorer.draw();
  });
  window.addEventListener("hashchange", () => {
    explorer.state = fromAddress(location.hash.slice(1), first, begin).state;
    explorer.recalculate({ begins: true });
  });
  return explorer;
}

function notice(text) {
  const node = document.createElement("p");
  node.className = "cbam-notice";
  node.setAttribute("role", "alert");
  node.textContent = text;
  return node;
}
