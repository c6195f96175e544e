import { html } from "../../../server/html-template.ts";
import { pageLayout } from "../../../server/page-layout.ts";

/** The HTML of `/docs`. The script loads Scalar from `scalarPath`, below `docs/`, and gives it the document. */
export function referenceHtml(scalarPath: string): string {
  return pageLayout({
    title: "Byond reference",
    root: "",
    current: "reference",
    scripts: [
      html`<link rel="modulepreload" href="docs/${scalarPath}">`,
      html`<script type="module" src="docs/assets/reference.js"></script>`,
    ],
    // Scalar takes an element that is not empty for one that a server has drawn.
    body: html`<main id="reference" data-scalar="docs/${scalarPath}" data-document="openapi.json"></main>
<noscript><p class="plain">The reference is shown by a script. Without one, read
<a href="openapi.json">openapi.json</a> and the <a href="docs/errors">errors</a>.</p></noscript>`,
  });
}
