// The samples: one language for all of them, a button to copy at every block of code, and the visitor's own key in its place.
import { addCopyButton, announce } from "./copy-code.js";
import { offerKeyField } from "./sandbox-key.js";

const groups = [...document.querySelectorAll(".samples")];
const chosenLanguage = "sampleLanguage";

addLanguageSwitches();
addCopyButtons();
offerKeyField(announce);

/** Shows one language of each group, the one that was chosen last, and puts a switch above it. */
function addLanguageSwitches() {
  for (const group of groups) {
    const bar = document.createElement("div");
    bar.className = "sample-bar";
    bar.append(languageSelect(group));
    addCopyButton(bar, () => group.querySelector(".sample:not([hidden]) code"));
    group.prepend(bar);
  }
  showLanguage(remembered() ?? languagesOf(groups[0])[0]?.id);
}

function languagesOf(group) {
  const samples = [...(group?.querySelectorAll(".sample") ?? [])];
  return samples.map((sample) => ({
    id: sample.dataset.lang,
    label: sample.querySelector(".sample-head").textContent,
  }));
}

function languageSelect(group) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", "Language of the samples");
  select.append(...languageOptions(group));
  select.addEventListener("change", () => {
    const before = select.getBoundingClientRect().top;
    remember(select.value);
    showLanguage(select.value);
    // The samples above have other heights now: what the reader looks at stays where it is.
    scrollBy({ top: select.getBoundingClientRect().top - before, behavior: "instant" });
  });
  return select;
}

/** curl, which everybody can try at once, then the SDKs, then how to do without one. A group without samples in SDKs is one list. */
function languageOptions(group) {
  const isOfSdk = ({ text }) => text.endsWith(" SDK");
  const options = languagesOf(group).map(({ id, label }) => new Option(label, id));
  if (!options.some(isOfSdk)) {
    return options;
  }
  const [first, ...others] = options;
  return [
    first,
    optionGroup("SDKs", others.filter(isOfSdk)),
    optionGroup(
      "Without an SDK",
      others.filter((option) => !isOfSdk(option)),
    ),
  ];
}

function optionGroup(label, options) {
  const group = document.createElement("optgroup");
  group.label = label;
  group.append(...options);
  return group;
}

/** A group that lacks the language keeps what it shows. */
function showLanguage(language) {
  for (const group of groups) {
    const ids = languagesOf(group).map(({ id }) => id);
    const shown = ids.includes(language) ? language : (group.dataset.language ?? ids[0]);
    group.dataset.language = shown;
    for (const sample of group.querySelectorAll(".sample")) {
      sample.hidden = sample.dataset.lang !== shown;
    }
    group.querySelector("select").value = shown;
  }
}

/** The browser may refuse to store anything. Then the choice holds for this page. */
function remember(language) {
  try {
    localStorage.setItem(chosenLanguage, language);
  } catch {}
}

function remembered() {
  try {
    return localStorage.getItem(chosenLanguage) ?? undefined;
  } catch {
    return undefined;
  }
}

/** A block of code has its button in the head above it, or beside it. The samples have theirs beside the switch. */
function addCopyButtons() {
  for (const pre of document.querySelectorAll("pre")) {
    if (pre.closest(".samples") === null) {
      const box = pre.closest(".code") ?? pre;
      const head = box.previousElementSibling;
      addCopyButton(head?.matches(".sample-head") ? head : box, () => pre);
    }
  }
}
