import { type Html, html } from "./html-template.ts";

export interface PageParts {
  readonly title: string;
  /** The relative path from the page, or from its `base`, to the folder that contains `docs`. */
  readonly root: "" | "../" | "../../";
  /** The base of relative links, if it is not the page's own address. */
  readonly base?: string;
  /** The navigation entry of this page. */
  readonly current?: "reference" | "errors";
  /** Whether `body` has a navigation (`id="menu"`), which a button of the bar opens on small windows, and a main part with `id="content"`. */
  readonly hasMenu?: boolean;
  /** Further elements of the head. */
  readonly head?: readonly Html[];
  readonly body: Html;
}

/** A page: the navigation bar with the server's status, and the body below it. */
export function pageLayout({ title, root, base, current, hasMenu = false, head = [], body }: PageParts): string {
  const assets = `${root}docs/assets`;
  const link = (name: "reference" | "errors", path: string, text: string) =>
    name === current
      ? html`<a href="${root}${path}" aria-current="page">${text}</a>`
      : html`<a href="${root}${path}">${text}</a>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${base === undefined ? [] : html`<base href="${base}">`}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${assets}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assets}/docs.css">
<script src="${assets}/theme.js"></script>
<script type="module" src="${assets}/status.js"></script>
${head}
</head>
<body>
${hasMenu ? html`<a class="skip" href="#content">Skip to the content</a>` : []}
<header class="${hasMenu ? "bar bar-menu" : "bar"}">
${hasMenu ? menuButton : []}
<a class="brand" href="${root}docs"><img src="${assets}/icon.svg" alt="" width="22" height="22">Byond</a>
<nav aria-label="Documentation">
${link("reference", "docs", "Reference")}
${link("errors", "docs/errors", "Errors")}
<a href="${root}openapi.json">openapi.json</a>
<a href="${root}console/">Console</a>
</nav>
${hasMenu ? searchButton : []}
<a class="status" href="${root}readyz" data-state="unknown"><span class="mark" aria-hidden="true"></span><span class="label" role="status">Status</span></a>
</header>
${body}
</body>
</html>
`.html;
}

const menuButton = html`<button class="menu-open" type="button" popovertarget="menu" aria-label="Menu"><svg aria-hidden="true" width="18" height="18" viewBox="0 0 18 18"><path d="M2 4.5h14M2 9h14M2 13.5h14" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"/></svg></button>`;

/** Shown by the script that makes it work. */
const searchButton = html`<button class="search-open" type="button" hidden><svg aria-hidden="true" width="16" height="16" viewBox="0 0 16 16"><path d="M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10Zm3.6-1.4L14 14" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/></svg><span class="search-label">Search</span><kbd aria-hidden="true">/</kbd></button>`;
