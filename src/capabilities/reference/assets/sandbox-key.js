// The visitor's sandbox key, in the place of the variable or placeholder that samples have for it. It stays in this tab.
const storedKey = "sandboxKey";
const sandboxKey = /^pk_test_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}$/;

const hints = {
  empty: "It is filled in everywhere below. It stays in this tab, and is not sent anywhere.",
  filled: "Your key is filled in everywhere. It stays in this tab, and is not sent anywhere.",
  live: "This is a live key. Live keys send real messages, so they have no place in a web page. Enter a sandbox key, which begins with pk_test_.",
  malformed: "This is not a whole sandbox key: pk_test_, 12 letters and digits, a dot, and 42 more.",
};

const places = [...document.querySelectorAll('[data-fill="key"]')].map((element) => ({
  element,
  original: element.textContent,
}));

/** Puts the field above the first code that shows a key, if there is any, and fills in the key that was entered in this tab. */
export function offerKeyField(announce) {
  const [place] = places;
  if (place === undefined) {
    return;
  }
  const { form, input, hint, button } = keyForm();
  const show = (key) => {
    fill(key);
    input.value = key ?? "";
    input.readOnly = key !== undefined;
    input.removeAttribute("aria-invalid");
    button.textContent = key === undefined ? "Fill in" : "Remove";
    hint.textContent = key === undefined ? hints.empty : hints.filled;
  };
  const accept = (key) => {
    store(key);
    show(key);
    announce(key === undefined ? "The key is removed." : hints.filled);
  };
  const refuse = (reason) => {
    input.setAttribute("aria-invalid", "true");
    hint.textContent = reason;
    announce(reason);
    input.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (input.readOnly) {
      accept(undefined);
      input.focus();
    } else if (sandboxKey.test(text)) {
      accept(text);
    } else {
      refuse(text.startsWith("pk_live_") ? hints.live : hints.malformed);
    }
  });
  const block = place.element.closest(".samples, .example") ?? place.element.closest(".code");
  block.before(form);
  show(stored());
  // A page that the browser kept, and shows again on "back", has what was there when it was left.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) {
      show(stored());
    }
  });
}

function keyForm() {
  const form = document.createElement("form");
  form.className = "key-form";
  const label = document.createElement("label");
  label.textContent = "Your sandbox key";
  label.htmlFor = "sandbox-key";
  const input = document.createElement("input");
  Object.assign(input, { id: label.htmlFor, type: "text", autocomplete: "off", spellcheck: false });
  input.placeholder = "pk_test_…";
  input.setAttribute("autocapitalize", "none");
  input.setAttribute("aria-describedby", "sandbox-key-hint");
  const button = document.createElement("button");
  button.type = "submit";
  const hint = document.createElement("p");
  hint.id = "sandbox-key-hint";
  form.append(label, input, button, hint);
  return { form, input, hint, button };
}

/** Writes the key, in the quotes of the language where it takes the place of an expression. */
function fill(key) {
  for (const { element, original } of places) {
    const quote = element.dataset.quote ?? "";
    element.classList.toggle("filled", key !== undefined);
    element.textContent = key === undefined ? original : quote + key + quote;
  }
}

/** The browser may refuse to store anything. Then the key holds for this page. */
function store(key) {
  try {
    if (key === undefined) {
      sessionStorage.removeItem(storedKey);
    } else {
      sessionStorage.setItem(storedKey, key);
    }
  } catch {}
}

/** What else could have been stored is not shown. */
function stored() {
  try {
    const key = sessionStorage.getItem(storedKey);
    return key !== null && sandboxKey.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
}
