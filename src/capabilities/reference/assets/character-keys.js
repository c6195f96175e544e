// Whether the keys / and K open the search. Dictation types them by mistake, so they can be turned off (WCAG 2.2, criterion 2.1.4).
const setting = "searchKeys";

let areOn = stored() !== "off";

export function searchKeysAreOn() {
  return areOn;
}

/** A box to check, as the last thing of the search. */
export function searchKeysChoice() {
  const label = document.createElement("label");
  label.className = "search-keys";
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: areOn });
  box.addEventListener("change", () => {
    areOn = box.checked;
    store(areOn ? "on" : "off");
  });
  label.append(box, " The keys / and K open the search. Ctrl+K always does.");
  return label;
}

/** The browser may refuse to store anything. Then the choice holds for this page. */
function store(choice) {
  try {
    localStorage.setItem(setting, choice);
  } catch {}
}

function stored() {
  try {
    return localStorage.getItem(setting);
  } catch {
    return null;
  }
}
