import { type Html, html } from "./html-template.ts";

export interface PageParts {
  readonly title: string;
  /** The relative path from the page, or from its `base`, to the folder that contains `docs`. */
  readonly root: "" | "../";
  /** The base of relative links, if it is not the page's own address. */
  readonly base?: string;
  /** The navigation entry of this page. */
  readonly current?: "reference" | "errors";
  readonly scripts?: readonly Html[];
  readonly body: Html;
}

/** A page: the navigation bar with the server's status, and the body below it. */
export function pageLayout({ title, root, base, current, scripts = [], body }: PageParts): string {
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
${scripts}
</head>
<body>
<header class="bar">
<a class="brand" href="${root}docs"><img src="${assets}/icon.svg" alt="" width="22" height="22">Byond</a>
<nav aria-label="Documentation">
${link("reference", "docs", "Reference")}
${link("errors", "docs/errors", "Errors")}
<a href="${root}openapi.json">openapi.json</a>
<a href="${root}console/">Console</a>
</nav>
<a class="status" href="${root}readyz" data-state="unknown"><span class="mark" aria-hidden="true"></span><span class="label" role="status">checking</span></a>
</header>
${body}
</body>
</html>
`.html;
}
