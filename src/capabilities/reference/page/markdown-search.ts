import { Marked, type Token } from "marked";
import { slugOf } from "./markdown-html.ts";
import type { SearchEntry } from "./reference-page.ts";

/** What the search finds in a text: each part below a heading. The first is the page itself. */
export function markdownEntries(text: string, place: string): readonly SearchEntry[] {
  const entries: { title: string; anchor: string; words: string[] }[] = [];
  for (const token of new Marked().lexer(text)) {
    if (token.type === "heading") {
      const title = plainText(token).trim();
      entries.push({ title, anchor: entries.length === 0 ? "" : slugOf(title), words: [] });
    } else {
      entries.at(-1)?.words.push(plainText(token));
    }
  }
  return entries.map(({ title, anchor, words }, index) => ({
    title,
    place,
    kind: index === 0 ? "page" : "section",
    anchor,
    text: words.join(" ").replace(/\s+/g, " ").trim(),
  }));
}

/** The text of Markdown, without its markup. */
export function plainMarkdown(text: string): string {
  return new Marked().lexer(text).map(plainText).join(" ").replace(/\s+/g, " ").trim();
}

function plainText(token: Token): string {
  if (token.type === "table") {
    const cells: readonly { readonly tokens: Token[] }[] = [...token.header, ...token.rows.flat()];
    return cells.map(({ tokens }) => tokens.map(plainText).join("")).join(" ");
  }
  if (token.type === "list") {
    const items: readonly { readonly tokens: Token[] }[] = token.items;
    return items.map(({ tokens }) => tokens.map(plainText).join(" ")).join(" ");
  }
  if ("tokens" in token && token.tokens !== undefined) {
    return token.tokens.map(plainText).join("");
  }
  return "text" in token ? String(token.text) : " ";
}
