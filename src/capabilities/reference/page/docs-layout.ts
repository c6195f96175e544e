import { type Html, html } from "../../../server/html-template.ts";
import { pageLayout } from "../../../server/page-layout.ts";
import type { Heading } from "./markdown-html.ts";
import { type PageContent, type ReferencePage, relativePath, type Site, sections } from "./reference-page.ts";

/** The HTML of a page of the reference: the navigation, the content, and what is on the page. */
export function docsHtml(site: Site, page: ReferencePage, content: PageContent): string {
  const { path, title } = page;
  const isHome = path === "/docs";
  const depth = path.split("/").length - 2;
  const root = depth === 0 ? "" : depth === 1 ? "../" : "../../";
  const { body, headings, isWide = false } = content;
  return pageLayout({
    title: isHome ? title : `${page.windowTitle ?? title} · Byond`,
    root,
    current: path === "/docs/errors" ? "errors" : "reference",
    hasMenu: true,
    head: [
      html`<link rel="stylesheet" href="${root}docs/assets/reference.css">`,
      html`<link rel="stylesheet" href="${root}docs/assets/samples.css">`,
      html`<link rel="alternate" type="text/markdown" href="${relativePath(path, markdownPath(path))}">`,
      html`<script type="module" src="${root}docs/assets/reference.js"></script>`,
      html`<script type="module" src="${root}docs/assets/samples.js"></script>`,
    ],
    body: html`<div class="${isWide ? "docs docs-wide" : "docs"}" data-root="${root}" data-mini-search="${root}docs/${site.miniSearch}">
${menuHtml(site, page, isWide ? headings : [], root)}
<main id="content" class="content" tabindex="-1">
<p class="page-actions"><a href="${relativePath(path, markdownPath(path))}">Markdown</a></p>
${body}
${neighboursHtml(site, page)}
</main>
${isWide || headings.length < 2 ? [] : outlineHtml(headings)}
</div>`,
  });
}

/** Where the Markdown of a page is. That of `/docs` is everything. */
export function markdownPath(path: string): string {
  return `${path}.md`;
}

/** The navigation. On small windows it is a popover, which the button in the bar opens without a script. */
function menuHtml({ pages }: Site, current: ReferencePage, nested: readonly Heading[], root: string): Html {
  const item = (page: ReferencePage) => {
    const isCurrent = page === current;
    const link = isCurrent
      ? html`<a href="${relativePath(current.path, page.path)}" aria-current="page">${navTitle(page)}</a>`
      : html`<a href="${relativePath(current.path, page.path)}">${navTitle(page)}</a>`;
    return html`<li>${link}${isCurrent && nested.length > 0 ? headingList(nested) : []}</li>
`;
  };
  return html`<nav id="menu" class="menu" popover aria-label="Reference">
${sections.map((section) => {
  const listed = pages.filter((page) => page.section === section);
  return listed.length === 0
    ? html``
    : html`<p class="menu-title">${section}</p>
<ul>
${listed.map(item)}</ul>
`;
})}<p class="menu-title">For programs</p>
<ul>
<li><a href="${root}openapi.json">openapi.json</a></li>
<li><a href="${root}openapi.yaml">openapi.yaml</a></li>
<li><a href="${root}llms.txt">llms.txt</a></li>
<li><a href="${root}docs.md">All pages as Markdown</a></li>
</ul>
</nav>`;
}

function navTitle({ path, title }: ReferencePage): string {
  return path === "/docs" ? "Introduction and quickstart" : title;
}

function outlineHtml(headings: readonly Heading[]): Html {
  return html`<nav class="outline" aria-label="On this page">
<p class="menu-title">On this page</p>
${headingList(headings.filter(({ depth }) => depth <= 3))}</nav>`;
}

function headingList(headings: readonly Heading[]): Html {
  return html`<ul class="headings">
${headings.map(({ id, depth, text }) => html`<li class="depth-${String(depth)}"><a href="#${id}">${text}</a></li>\n`)}</ul>
`;
}

/** Links to the pages before and after this one in the navigation. */
function neighboursHtml({ pages }: Site, page: ReferencePage): Html {
  const listed = pages.filter(({ section }) => section !== undefined);
  const index = listed.indexOf(page);
  const link = (target: ReferencePage | undefined, rel: "prev" | "next", label: string) =>
    index === -1 || target === undefined
      ? []
      : html`<a class="${rel}" rel="${rel}" href="${relativePath(page.path, target.path)}"><span>${label}</span> ${navTitle(target)}</a>`;
  return html`<nav class="neighbours" aria-label="Pages before and after">${link(listed[index - 1], "prev", "Previous")}${link(listed[index + 1], "next", "Next")}</nav>`;
}
