/** Elements without an end tag. */
const voidElements = new Set(["br", "hr", "img", "input", "link", "meta", "path", "wbr"]);

/** What is wrong with HTML that is meant to be written in full: tags that do not match, ids that are there twice, text that could be a tag. */
export function htmlFaults(html: string): readonly string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  for (const [tag, slash, name = "", attributes = ""] of html.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>/g,
  )) {
    if (slash === "/") {
      const expected = open.pop();
      if (expected !== name) {
        faults.push(`${tag} ends <${expected}>`);
      }
    } else if (!voidElements.has(name)) {
      if (name === "a" && open.includes("a")) {
        faults.push(`a link in a link: ${tag}`);
      }
      open.push(name);
    }
    const [, id] = /\sid="([^"]*)"/.exec(attributes) ?? [];
    if (id !== undefined) {
      if (ids.has(id) || id === "") {
        faults.push(`the id "${id}" is there twice, or empty`);
      }
      ids.add(id);
    }
  }
  const tags = /<\/?[a-z][a-z0-9]*(?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*\s*\/?>/g;
  const rest = html.replace(/^<!doctype html>/, "").replace(tags, "");
  for (const [text] of rest.matchAll(/.{0,40}[<>].{0,40}/g)) {
    faults.push(`not a tag: ${text}`);
  }
  for (const [text] of rest.matchAll(/&(?!(?:amp|lt|gt|quot|#39|#x27);).{0,20}/g)) {
    faults.push(`not escaped: ${text}`);
  }
  return [...faults, ...open.map((name) => `<${name}> does not end`)];
}
