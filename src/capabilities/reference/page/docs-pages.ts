import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DescService, JsonObject } from "@bufbuild/protobuf";
import { escapeHtml, html } from "../../../server/html-template.ts";
import { pageLayout } from "../../../server/page-layout.ts";
import { redirectPage } from "../../../server/redirect-page.ts";
import type { Page } from "../../../server/request-handler.ts";
import { filePage, StaticFile } from "../../../server/static-file.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";
import { forServerAt } from "../openapi/samples/grpcurl.ts";
import { documentOf } from "../openapi/served-document.ts";
import { errorsHtml } from "./errors-page.ts";
import { liveText } from "./live-text.ts";
import { findScalarFiles } from "./scalar-files.ts";

/**
 * Pages of the documentation may load only what this server serves. Scalar uses inline styles; scripts are never
 * inline.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const pageHeaders = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Referrer-Policy": "same-origin",
};

const assets: readonly [name: string, type: string][] = [
  ["docs.css", "text/css; charset=utf-8"],
  ["icon.svg", "image/svg+xml"],
  ["reference.js", "text/javascript; charset=utf-8"],
  ["status.js", "text/javascript; charset=utf-8"],
  ["theme.js", "text/javascript; charset=utf-8"],
];

const htmlType = "text/html; charset=utf-8";

/** Revalidated on every use, because these paths stay the same when their content changes. */
const revalidated = { cacheControl: "no-cache" };

export interface DocsPagesOptions {
  readonly publicUrl: string | undefined;
  readonly url: () => string;
  /** The services that the server has. */
  readonly services: readonly DescService[];
  /** The scopes that a key can have. */
  readonly scopes: readonly string[];
}

/**
 * The pages of the documentation, by path: `/openapi.json`, `/docs`, `/docs/errors`, and their assets.
 * `publicUrl` is the configured address, if any; `url` is that one, or else the address that the server listens on.
 */
export async function docsPages({ publicUrl, url, services, scopes }: DocsPagesOptions): Promise<Map<string, Page>> {
  const scalar = await findScalarFiles();
  const scalarFolder = `assets/scalar-${scalar.version}`;
  const reference = new StaticFile(htmlType, Buffer.from(referenceHtml(`${scalarFolder}/standalone.esm.js`)));
  const errors = liveText(htmlType, () => errorsHtml(`${placeholderOrigin}/docs/errors`), url, escapeHtml);
  const document = await readOpenApi({ services, scopes }, publicUrl === undefined);
  const openApi = liveText("application/json", () => forServerAt(url(), document()), url, escapeJson);
  const pages = new Map<string, Page>([
    // Pages of every origin may read the document: it is public.
    ["/openapi.json", filePage(openApi, { ...revalidated, headers: { "Access-Control-Allow-Origin": "*" } })],
    ["/docs", filePage(() => reference, { ...revalidated, headers: pageHeaders })],
    ["/docs/", redirectPage(308, "../docs")],
    ["/docs/errors", filePage(errors, { ...revalidated, headers: pageHeaders })],
  ]);
  for (const [name, type] of assets) {
    const file = new StaticFile(type, await readFile(join(import.meta.dirname, "../assets", name)));
    pages.set(
      `/docs/assets/${name}`,
      filePage(() => file, revalidated),
    );
  }
  for (const [path, read] of scalar.files) {
    // The version is in the path, so the content below it never changes.
    const page = filePage(read, { cacheControl: "public, max-age=31536000, immutable" });
    pages.set(`/docs/${scalarFolder}/${path}`, page);
  }
  return pages;
}

/**
 * Reads the document of the services, and returns what makes it, without white space: that takes tens of milliseconds, for which no
 * start has to wait. Without a configured address, its `servers` are relative to the URL of the document (OpenAPI 3.1 §4.8.5), so that
 * requests from the page stay on its origin.
 */
async function readOpenApi(
  of: Pick<DocsPagesOptions, "services" | "scopes">,
  hasRelativeServers: boolean,
): Promise<() => string> {
  const text = await readFile(join(import.meta.dirname, "../../../../gen/openapi.json"), "utf8");
  return () => {
    const all: JsonObject & { readonly servers: readonly { readonly url: string }[] } = JSON.parse(text);
    const servers = all.servers.map((server) => ({ ...server, url: new URL(server.url).pathname }));
    const document = documentOf(of, all);
    return JSON.stringify(hasRelativeServers ? { ...document, servers } : document);
  };
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The HTML of `/docs`. The script loads Scalar from `scalarPath`, below `docs/`, and gives it the document. */
function referenceHtml(scalarPath: string): string {
  return pageLayout({
    title: "Byond reference",
    root: "",
    current: "reference",
    scripts: [
      html`<link rel="modulepreload" href="docs/${scalarPath}">`,
      html`<script type="module" src="docs/assets/reference.js"></script>`,
    ],
    // The element must be empty: Scalar would take content for a page rendered by a server.
    body: html`<main id="reference" data-scalar="docs/${scalarPath}" data-document="openapi.json"></main>
<noscript><p class="plain">The reference needs JavaScript. Without it, read
<a href="openapi.json">openapi.json</a> and the <a href="docs/errors">error page</a>.</p></noscript>`,
  });
}
