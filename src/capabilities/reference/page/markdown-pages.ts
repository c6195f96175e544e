import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCodes } from "../error-guide.ts";
import { chapterText } from "../guide.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";
import { sampleLanguages } from "../openapi/samples/code-samples.ts";
import type { KeyExpression } from "../openapi/samples/sample-call.ts";
import { type MarkdownOptions, renderMarkdown } from "./markdown-html.ts";
import { markdownEntries } from "./markdown-search.ts";
import { type ReferencePage, relativePath, type Section, type Site } from "./reference-page.ts";

/** The folder of the product: what `docs/` and `CHANGELOG.md` are in. */
const root = join(import.meta.dirname, "../../../..");

export const chapterPath = (name: string) => `/docs/guides/${name}`;

/** A chapter of the guide: a file in `guide/`. */
export async function chapterPage(name: string): Promise<ReferencePage> {
  const text = await readFile(join(import.meta.dirname, `../guide/${name}.md`), "utf8");
  const path = chapterPath(name);
  return markdownPage({
    path,
    section: "Guides",
    text,
    markdown: ({ values }) => chapterText(text, values),
    options: (site) => optionsOf(site, path),
  });
}

/**
 * A file of the repository, such as `docs/security.md`. Links to other files lead to their pages, and the address that a server has
 * without settings is the server's own.
 */
export async function filePageOf(
  file: string,
  path: string,
  section: Section | undefined,
  pathOfFile: (file: string) => string | undefined,
): Promise<ReferencePage> {
  const text = await readFile(join(root, file), "utf8");
  const target = (href: string) => {
    const [relative = "", fragment] = href.split("#");
    const found = relative === "" ? path : pathOfFile(new URL(relative, `file:///${file}`).pathname.slice(1));
    return found === undefined ? undefined : found + (fragment === undefined ? "" : `#${fragment}`);
  };
  return markdownPage({
    path,
    ...(section !== undefined && { section }),
    text,
    markdown: ({ origin }) =>
      text
        .replaceAll(placeholderOrigin, () => origin)
        .replace(/(?<=\]\()(?![a-z]+:|#)[^)\s]+(?=\))/g, (href) => {
          const found = target(href);
          return found === undefined ? href : origin + found;
        }),
    options: (site) => {
      const options = optionsOf(site, path);
      return {
        ...options,
        link: (href) => {
          if (/^[a-z]+:/.test(href)) {
            return options.link(href);
          }
          const found = target(href);
          return found === undefined ? undefined : relativePath(path, found);
        },
      };
    },
  });
}

/** What a key takes the place of: the placeholder in the texts, and what reads the key in each language. */
const fills: readonly KeyExpression[] = [{ text: "pk_test_…", quote: "" }, ...sampleLanguages.map(({ key }) => key)];

/** How Markdown of the page at `path` is rendered: links to this server are relative, since a proxy may serve it below a path. */
export function optionsOf({ origin }: Pick<Site, "origin">, path: string): MarkdownOptions {
  const codes: readonly string[] = errorCodes;
  return {
    link: (href) => (href.startsWith(`${origin}/`) ? relativePath(path, href.slice(origin.length)) : href),
    codeLink: (code) => (codes.includes(code) ? relativePath(path, `/docs/errors#${code}`) : undefined),
    fills,
  };
}

interface MarkdownPage {
  readonly path: string;
  readonly section?: Section;
  /** The text as it is in the file: its first heading is the title. */
  readonly text: string;
  readonly markdown: (site: Site) => string;
  readonly options: (site: Site) => MarkdownOptions;
}

function markdownPage({ path, section, text, markdown, options }: MarkdownPage): ReferencePage {
  const title = titleOf(text) ?? path;
  return {
    path,
    title,
    ...(section !== undefined && { section }),
    render(site) {
      const { html: body, headings } = renderMarkdown(markdown(site), options(site));
      return { body, headings: headings.filter(({ depth }) => depth > 1) };
    },
    markdown: (site) => `${markdown(site).trim()}\n`,
    entries: (site) => markdownEntries(markdown(site), title),
  };
}

/** The first heading, without its markup. */
export function titleOf(text: string): string | undefined {
  return /^# +(.+)$/m.exec(text)?.[1]?.replaceAll("`", "");
}
