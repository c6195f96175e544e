/** What the pages of the reference can do beyond being read: search, old addresses, and the mark at the section in view. */
import { searchKeysAreOn } from "./character-keys.js";

const root = document.querySelector(".docs").dataset.root;

/** Addresses of earlier versions were fragments of `/docs`: `#tag/verify/POST/verify/start`, `#description/quickstart`. */
function leadFromOldAddress() {
  const [kind, ...parts] = decoded(location.hash.slice(1)).split("/");
  const home = new URL(`${root}docs`, location.href);
  if (location.pathname !== home.pathname || (kind !== "tag" && kind !== "description")) {
    return;
  }
  const target = kind === "tag" ? operationAt(parts) : chapterAt(parts);
  location.replace(target ?? home);
}

/** Anybody can write a link. What is not an encoding of UTF-8 stays as it is. */
function decoded(fragment) {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function operationAt([group = "", method, ...path]) {
  const page = document.querySelector(`.menu a[href$="/api/${CSS.escape(group)}"]`)?.href;
  if (page !== undefined && method === "webhook") {
    return `${page}#on_${path.at(-1)?.replace(".", "_")}`;
  }
  const route = `${method}/${path.join("/")}`;
  const links = [...document.querySelectorAll("a[data-route]")];
  const link = links.find(({ dataset }) => dataset.route === route);
  return link?.href ?? page;
}

/** Chapters that have another name now. */
const renamed = {
  introduction: "",
  quickstart: "quickstart",
  "events-and-webhooks": "webhooks",
  "verifications-and-your-users": "verification",
  "grpc-and-connect": "grpc",
};

function chapterAt(parts) {
  const name = renamed[parts.at(0)] ?? parts.at(0);
  const heading = document.getElementById(name);
  return heading === null
    ? document.querySelector(`.menu a[href$="/guides/${CSS.escape(name)}"]`)?.href
    : `#${heading.id}`;
}

/** The search is loaded when it is first asked for: by the button, `/`, `K`, or Ctrl or Cmd with `K`. */
function openSearchOnDemand() {
  const button = document.querySelector(".search-open");
  // What is typed while the search is being loaded goes into its field.
  let typed;
  const open = async () => {
    typed = "";
    try {
      const { openSearch } = await import("./search.js");
      openSearch(root, typed);
    } finally {
      typed = undefined;
    }
  };
  button.hidden = false;
  button.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    // Browsers and password managers that fill in a field send events without a key.
    const key = event.key?.toLowerCase();
    if (typed !== undefined) {
      if (key?.length === 1 && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        typed += event.key;
      }
      return;
    }
    const isChord = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && key === "k";
    const isPlain =
      searchKeysAreOn() && !event.ctrlKey && !event.metaKey && !event.altKey && (key === "/" || key === "k");
    if ((isChord || (isPlain && !isTyping(event.target))) && !event.repeat) {
      event.preventDefault();
      open();
    }
  });
}

/** Whether what is typed goes into a field. */
function isTyping(target) {
  return (
    target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select") !== null)
  );
}

/** The menu of small windows covers the page: a link to another part of the page closes it. */
function closeMenuOnFollow() {
  const menu = document.querySelector("#menu");
  menu.addEventListener("click", (event) => {
    if (event.target.closest("a") !== null && menu.matches(":popover-open")) {
      menu.hidePopover();
    }
  });
}

/** Marks the link to the section that is being read, in the outline or in the menu. */
function markSectionInView() {
  const links = new Map(
    [...document.querySelectorAll(".headings a")].map((link) => [link.getAttribute("href").slice(1), link]),
  );
  const targets = [...links.keys()].map((id) => document.getElementById(id)).filter((target) => target !== null);
  let current;
  const mark = () => {
    const line = innerHeight / 4;
    const isAtEnd = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const target = isAtEnd
      ? targets.at(-1)
      : targets.findLast((candidate) => candidate.getBoundingClientRect().top <= line);
    const link = links.get(target?.id);
    if (link !== current) {
      current?.removeAttribute("aria-current");
      link?.setAttribute("aria-current", "location");
      keepInView(link);
      current = link;
    }
  };
  let isPlanned = false;
  const plan = () => {
    if (!isPlanned) {
      isPlanned = true;
      requestAnimationFrame(() => {
        isPlanned = false;
        mark();
      });
    }
  };
  addEventListener("scroll", plan, { passive: true });
  addEventListener("resize", plan, { passive: true });
  mark();
}

/** Scrolls the navigation alone, never the page. */
function keepInView(link) {
  const box = link?.closest(".menu, .outline");
  if (!box) {
    return;
  }
  const { top, bottom } = link.getBoundingClientRect();
  const bounds = box.getBoundingClientRect();
  if (top < bounds.top || bottom > bounds.bottom) {
    box.scrollTop += top - bounds.top - bounds.height / 2;
  }
}

leadFromOldAddress();
openSearchOnDemand();
closeMenuOnFollow();
markSectionInView();
