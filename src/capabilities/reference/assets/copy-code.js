// Copying code, where the browser allows it and where it does not.
const shownMs = 2_000;

const status = document.createElement("p");
status.className = "announcement";
status.setAttribute("role", "status");
document.body.append(status);

/** Says something to those who do not see the page. */
export function announce(text) {
  status.textContent = text;
}

/** Adds a button that copies the text of the element that `find` returns when it is pressed. */
export function addCopyButton(parent, find) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  let timer;
  button.addEventListener("click", async () => {
    const result = await copy(find());
    button.textContent = result;
    announce(result);
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = "Copy";
      announce("");
    }, shownMs);
  });
  parent.append(button);
}

/** Pages that are not of a secure origin have no clipboard: there the text is selected, and copied as an editor does. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent.trimEnd());
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy") ? "Copied" : "Selected";
  }
}
