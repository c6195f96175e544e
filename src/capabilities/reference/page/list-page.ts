import { html } from "../../../server/html-template.ts";
import { type ReferencePage, relativePath, type Section } from "./reference-page.ts";

export interface ListPageParts {
  readonly path: string;
  readonly title: string;
  readonly section: Section;
  readonly introduction: string;
  readonly pages: readonly ReferencePage[];
}

/** A page that lists others. */
export function listPage({ path, title, section, introduction, pages }: ListPageParts): ReferencePage {
  return {
    path,
    title,
    section,
    render: () => ({
      body: html`<h1>${title}</h1>
<p>${introduction}</p>
<ul>
${pages.map((page) => html`<li><a href="${relativePath(path, page.path)}">${page.title}</a></li>\n`)}</ul>`,
      headings: [],
    }),
    markdown: ({ origin }) =>
      `# ${title}\n\n${introduction}\n\n${pages.map((page) => `- [${page.title}](${origin}${page.path})\n`).join("")}`,
    entries: () => [{ title, place: section, kind: "page", anchor: "", text: introduction }],
  };
}
