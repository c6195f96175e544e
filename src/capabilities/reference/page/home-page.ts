import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Html, html } from "../../../server/html-template.ts";
import { chapterText } from "../guide.ts";
import { readGroup } from "./documented-operation.ts";
import { groupPath } from "./group-page.ts";
import { renderMarkdown } from "./markdown-html.ts";
import { optionsOf, titleOf } from "./markdown-pages.ts";
import { markdownEntries } from "./markdown-search.ts";
import { type ReferencePage, relativePath, type Site, sections } from "./reference-page.ts";

export const homePath = "/docs";

/** `/docs`: what the server is, the quickstart, and where everything else is. */
export async function homePage(): Promise<ReferencePage> {
  const texts = await Promise.all(
    ["introduction", "quickstart"].map((name) => readFile(join(import.meta.dirname, `../guide/${name}.md`), "utf8")),
  );
  const [introduction = "", quickstart = ""] = texts;
  const title = titleOf(introduction) ?? homePath;
  const markdown = (values: Site["values"]) =>
    `${chapterText(introduction, values).trim()}\n\n${lowered(chapterText(quickstart, values)).trim()}\n`;
  return {
    path: homePath,
    title,
    section: "Get started",
    render(site) {
      const { html: text, headings } = renderMarkdown(markdown(site.values), optionsOf(site, homePath));
      return {
        body: html`${text}${mapHtml(site)}`,
        headings: [...headings.filter(({ depth }) => depth > 1), { id: "map", depth: 2, text: "Everything else" }],
      };
    },
    markdown: ({ values }) => markdown(values),
    entries: ({ values }) => markdownEntries(markdown(values), title),
  };
}

/** Lowers the headings by one, outside of code. */
function lowered(markdown: string): string {
  return markdown
    .split(/(^```[\s\S]*?^```)/m)
    .map((part, index) => (index % 2 === 0 ? part.replace(/^(?=#+ )/gm, "#") : part))
    .join("");
}

/** Links to all other pages, and to every operation. `data-route` is how addresses of earlier versions named it. */
function mapHtml({ document, origin, pages }: Site): Html {
  const to = (target: string) => relativePath(homePath, target);
  const basePath = new URL(document.servers[0]?.url ?? origin).pathname;
  const groups = document.tags.map(({ name }) => readGroup(document, name));
  const others = sections
    .filter((section) => section !== "API reference")
    .map((section) => ({ section, listed: pages.filter((page) => page.section === section && page.path !== homePath) }))
    .filter(({ listed }) => listed.length > 0);
  return html`<h2 id="map"><a class="anchor" href="#map">Everything else</a></h2>
<div class="map">
${groups.map(
  (group) => html`<section>
<h3><a href="${to(groupPath(group.title))}">${group.title}</a></h3>
<ul>
${group.operations.map(
  ({
    id,
    title: name,
    method,
    path: route,
  }) => html`<li><a href="${to(`${groupPath(group.title)}#${id}`)}" data-route="${method}${route.slice(basePath.length)}">${name}</a></li>
`,
)}</ul>
</section>
`,
)}${others.map(
  ({ section, listed }) => html`<section>
<h3>${section}</h3>
<ul>
${listed.map((page) => html`<li><a href="${to(page.path)}">${page.title}</a></li>\n`)}</ul>
</section>
`,
)}</div>`;
}
