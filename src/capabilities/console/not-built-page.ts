import { html } from "../../server/html-template.ts";
import { pageLayout } from "../../server/page-layout.ts";
import { filePage, StaticFile } from "../../server/static-file.ts";

const page = pageLayout({
  title: "Console",
  root: "../",
  body: html`<main class="notice">
<h1 class="notice-title">The console is not built</h1>
<p><code>npm start</code> builds it when it starts. If the server was started in another way, run <code>npm run build:console</code>,
with the development packages installed, and restart the server.</p>
<p>The API works without it: see the <a class="notice-link" href="../docs">reference</a>.</p>
</main>`,
});

/** What `/console/` says on a server that has no built console. */
const file = new StaticFile("text/html; charset=utf-8", Buffer.from(page));

export const notBuiltPage = filePage(({ url = "" }) => (/^\/console\/(\?|$)/.test(url) ? file : undefined), {
  cacheControl: "no-store",
  headers: {
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "same-origin",
  },
});
