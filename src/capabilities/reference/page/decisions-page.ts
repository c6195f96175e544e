import { html } from "../../../server/html-template.ts";
import { type ReferencePage, relativePath } from "./reference-page.ts";

export const decisionsPath = "/docs/decisions";
const title = "Decisions";
const section = "Running a server";

const introduction =
  "Why the server is built as it is: a page for each decision, with its context and its consequences.";

/** The list of the decisions, whose pages the navigation does not list. */
export function decisionsPage(decisions: readonly ReferencePage[]): ReferencePage {
  return {
    path: decisionsPath,
    title,
    section,
    render: () => ({
      body: html`<h1>${title}</h1>
<p>${introduction}</p>
<ul>
${decisions.map((page) => html`<li><a href="${relativePath(decisionsPath, page.path)}">${page.title}</a></li>\n`)}</ul>`,
      headings: [],
    }),
    markdown: ({ origin }) =>
      `# ${title}\n\n${introduction}\n\n${decisions.map((page) => `- [${page.title}](${origin}${page.path})\n`).join("")}`,
    entries: () => [{ title, place: section, kind: "page", anchor: "", text: introduction }],
  };
}
