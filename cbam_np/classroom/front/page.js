// The page that needs nothing: the browser computes, and the state lives in the address.

import { Explorer } from "./explorer.js";
import { firstState, fromAddress, toAddress } from "./state.js";

export function showPage(root, begin) {
  root.classList.add("page");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = dark.matches ? "dark" : "light";
  const first = firstState(begin);
  const given = () => {
    const { state, ignored } = fromAddress(location.hash.slice(1), first, begin);
    tellIgnored(root, ignored);
    return state;
  };
  let timer = null;
  const onState = (now) => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", `#${toAddress(now, first)}`), 200);
  };
  const explorer = new Explorer(root, begin, { kept: given(), onState });
  window.addEventListener("resize", () => explorer.fit());
  dark.addEventListener("change", () => {
    root.dataset.theme = dark.matches ? "dark" : "light";
    explorer.draw();
  });
  window.addEventListener("hashchange", () => {
    explorer.state = given();
    explorer.before = null;
    explorer.recalculate({ begins: true });
  });
  return explorer;
}

// Say which parts of a link could not be used, or nothing any more.
function tellIgnored(root, ignored) {
  document.querySelector(".cbam-notice")?.remove();
  if (!ignored.length) return;
  const node = document.createElement("p");
  node.className = "cbam-notice";
  node.setAttribute("role", "alert");
  node.textContent = `Parts of this link could not be used: ${ignored.join(", ")}.`;
  root.before(node);
}
