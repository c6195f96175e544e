/** The search of the reference: a dialog over all pages, operations, fields and errors. */
import { searchKeysChoice } from "./character-keys.js";

const maxResults = 30;

/** Words that people look for, and what the reference calls it. */
const synonyms = new Map(
  Object.entries({
    otp: ["verification", "code"],
    "2fa": ["verification", "code"],
    mfa: ["verification", "code"],
    pin: ["code"],
    auth: ["authentication"],
    login: ["sign-in", "session"],
    logout: ["sign-out", "session"],
    token: ["credential", "session"],
    hook: ["webhook"],
    hooks: ["webhook"],
    callback: ["webhook"],
    throttle: ["rate", "limit"],
    throttling: ["rate", "limit"],
    quota: ["rate", "limit"],
    retry: ["idempotency", "retry"],
    pagination: ["page_token", "page"],
    hmac: ["signature"],
    validate: ["check"],
    phone: ["number", "lookup"],
    sandbox: ["test"],
  }),
);

/** Words of questions, which say little of what is looked for. */
const fillers = new Set(
  "a an and are can do does for how i in is it my of on or the to what when where why with you".split(" "),
);

const kinds = {
  page: "Page",
  section: "Section",
  operation: "Operation",
  field: "Field",
  error: "Error",
  event: "Event",
};

/** An operation of a name is more likely meant than a field of it. */
const weights = { page: 3, operation: 2.6, error: 2.6, event: 1.6, section: 1.4, field: 0.8 };

let dialog;

/** Opens the search with what was typed so far, or with what was looked for last. */
export function openSearch(root, typed) {
  dialog ??= buildDialog(root);
  if (!dialog.element.open) {
    dialog.element.showModal();
    dialog.input.select();
    if (typed !== "") {
      dialog.input.value = typed;
      dialog.input.dispatchEvent(new Event("input"));
    }
  }
}

function buildDialog(root) {
  const element = document.createElement("dialog");
  element.className = "search";
  element.setAttribute("aria-label", "Search");
  const input = Object.assign(document.createElement("input"), {
    // In a field of the type "search" Escape would first empty it.
    type: "text",
    placeholder: "Search the reference",
    autocomplete: "off",
    spellcheck: false,
    enterKeyHint: "go",
  });
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-label": "Search the reference",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": "search-results",
  })) {
    input.setAttribute(name, value);
  }
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
  const head = document.createElement("div");
  head.className = "search-head";
  head.append(input, close);
  const list = document.createElement("ul");
  list.id = "search-results";
  list.className = "search-results";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Results");
  const note = document.createElement("p");
  note.className = "search-note";
  note.setAttribute("role", "status");
  element.append(head, list, note, searchKeysChoice());
  document.body.append(element);

  const state = { index: undefined, active: -1 };
  const loading = loadIndex(root).then(
    (index) => {
      state.index = index;
      show();
    },
    () => {
      note.textContent = "The search could not be loaded. Reload the page.";
    },
  );

  function show() {
    const query = input.value.trim();
    const found = state.index === undefined || query === "" ? [] : find(state.index, query);
    list.replaceChildren(...found.map((result, position) => optionOf(result, position, root)));
    input.setAttribute("aria-expanded", String(found.length > 0));
    activate(found.length > 0 ? 0 : -1);
    if (query === "") {
      note.textContent = "Try an operation, a field, an error code or a status: recipient, rate_limited, 429.";
    } else if (state.index === undefined) {
      note.textContent = "Loading the search…";
    } else {
      note.textContent = found.length === 0 ? `Nothing found for “${query}”.` : "";
    }
  }

  function activate(position) {
    list.children[state.active]?.setAttribute("aria-selected", "false");
    state.active = position;
    const option = list.children[position];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option === undefined) {
      input.removeAttribute("aria-activedescendant");
    } else {
      input.setAttribute("aria-activedescendant", option.id);
    }
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    // These keys are the input method's while it composes a word. Safari says so by the number alone.
    if (event.isComposing || event.keyCode === 229) {
      return;
    }
    const count = list.children.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count > 0) {
      event.preventDefault();
      activate((state.active + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // What was typed before the index was there counts, too.
      loading.then(() => list.children[state.active]?.click());
    }
  });
  list.addEventListener("click", (event) => {
    const address = event.target.closest("[data-address]")?.dataset.address;
    if (address === undefined) {
      return;
    }
    if (event.ctrlKey || event.metaKey) {
      open(address);
    } else {
      element.close();
      location.assign(address);
    }
  });
  close.addEventListener("click", () => element.close());
  // A click beside the dialog's content is one on the dialog itself.
  element.addEventListener("click", (event) => {
    if (event.target === element) {
      element.close();
    }
  });
  show();
  return { element, input };
}

async function loadIndex(root) {
  const { miniSearch } = document.querySelector(".docs").dataset;
  const [{ default: MiniSearch }, response] = await Promise.all([
    import(new URL(miniSearch, document.baseURI).href),
    fetch(new URL(`${root}docs/search.json`, document.baseURI)),
  ]);
  const rows = await response.json();
  const index = new MiniSearch({
    fields: ["title", "place", "text"],
    storeFields: ["address", "kind", "title", "place", "text"],
    searchOptions: {
      boost: { title: 5, place: 1.5 },
      prefix: (term) => term.length > 1,
      fuzzy: (term) => (term.length > 4 && !/\d/.test(term) ? 0.2 : false),
      combineWith: "AND",
      boostDocument: (_id, _term, { kind }) => weights[kind],
    },
  });
  index.addAll(rows.map(([address, kind, title, place, text], id) => ({ id, address, kind, title, place, text })));
  return index;
}

function find(index, query) {
  const words = query.toLowerCase().split(/\s+/);
  const search = (combineWith, searched) => index.search({ combineWith, queries: searched.map(withSynonyms) });
  const all = search("AND", words);
  // A question has words that the page with the answer lacks.
  const telling = words.filter((word) => !fillers.has(word));
  const results = all.length > 0 || words.length === 1 ? all : search("OR", telling);
  // "webhook" means the page "Webhooks" before all that have the word in their title.
  const titles = [query.toLowerCase(), `${query.toLowerCase()}s`];
  const exact = (result) => (titles.includes(result.title.toLowerCase()) ? 1 : 0);
  return results.toSorted((one, other) => exact(other) - exact(one) || other.score - one.score).slice(0, maxResults);
}

function withSynonyms(word) {
  const others = synonyms.get(word);
  return others === undefined ? word : { combineWith: "OR", queries: [word, ...others] };
}

function optionOf({ address, kind, title, place, text }, position, root) {
  const option = document.createElement("li");
  option.id = `search-result-${position}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  // No link in it: a choice of a list has no controls inside.
  option.dataset.address = new URL(`${root}${address}`, document.baseURI).href;
  const add = (name, content) => {
    const part = document.createElement("span");
    part.className = `result-${name}`;
    part.textContent = content;
    option.append(part);
  };
  add("title", title);
  add("place", kind === "page" ? kinds[kind] : `${kinds[kind]} · ${place}`);
  add("text", text.slice(0, 160));
  return option;
}
