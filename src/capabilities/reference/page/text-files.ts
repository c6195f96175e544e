import { setImmediate } from "node:timers/promises";
import { markdownPath } from "./docs-layout.ts";
import { type ReferencePage, relativePath, type Site, sections } from "./reference-page.ts";

/** `/llms.txt` (llmstxt.org): the pages of the reference in Markdown, for language models. */
export async function llmsText({ origin, document, pages }: Site): Promise<string> {
  const list = (section: ReferencePage["section"]) =>
    pages
      .filter((page) => page.section === section)
      .map(({ path, title }) => `- [${title}](${origin}${markdownPath(path)})`)
      .join("\n");
  return [
    "# Byond",
    `> ${document.info.summary ?? ""}`,
    `The base URL of the API is ${document.servers[0]?.url}. [Everything in one file](${origin}/docs.md); the OpenAPI document is ${origin}/openapi.json, and ${origin}/openapi.yaml.`,
    ...sections.map((section) => `## ${section}\n\n${list(section)}`),
    "",
  ].join("\n\n");
}

/** `/docs.md`: all pages that the navigation lists. */
export async function wholeMarkdown(site: Site): Promise<string> {
  const texts: string[] = [];
  for (const page of site.pages.filter(({ section }) => section !== undefined)) {
    texts.push(await page.markdown(site));
    // Other requests are answered between the pages.
    await setImmediate();
  }
  return texts.join("\n");
}

/** `/docs/search.json`: what the search finds, as rows of a table. Addresses are relative to the folder that contains `docs`. */
export async function searchJson(site: Site): Promise<string> {
  const rows: (readonly string[])[] = [];
  const known = new Set<string>();
  for (const page of site.pages) {
    const path = relativePath("/docs", page.path);
    // Of pages that the navigation does not list, the search knows the headings.
    const maxTextLength = page.section === undefined ? 0 : 400;
    for (const { title, place, kind, anchor, text } of await page.entries(site)) {
      const shown = text.length <= maxTextLength ? text : text.slice(0, maxTextLength).replace(/\s\S*$/, "");
      // Many operations have the same field. One of them is enough.
      const identity = `${kind} ${title} ${shown}`;
      if (kind !== "field" || !known.has(identity)) {
        known.add(identity);
        rows.push([anchor === "" ? path : `${path}#${anchor}`, kind, title, place, shown]);
      }
    }
    await setImmediate();
  }
  return JSON.stringify(rows);
}
