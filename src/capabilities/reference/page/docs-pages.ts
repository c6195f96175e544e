import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DescService, JsonObject } from "@bufbuild/protobuf";
import { once } from "../../../server/once.ts";
import { redirectPage } from "../../../server/redirect-page.ts";
import type { Page } from "../../../server/request-handler.ts";
import { filePage, StaticFile } from "../../../server/static-file.ts";
import { documentOf } from "../openapi/served-document.ts";
import { docsHtml, markdownPath } from "./docs-layout.ts";
import { findMiniSearch } from "./minisearch-file.ts";
import { openApiFiles } from "./openapi-files.ts";
import { listPages, pictures } from "./page-list.ts";
import type { ReferencePage } from "./reference-page.ts";
import { createSite } from "./site.ts";
import { llmsText, searchJson, wholeMarkdown } from "./text-files.ts";

/** Pages of the documentation load only what this server serves; nothing is inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
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
  ["reference.css", "text/css; charset=utf-8"],
  ["icon.svg", "image/svg+xml"],
  ["samples.css", "text/css; charset=utf-8"],
  ["samples.js", "text/javascript; charset=utf-8"],
  ["copy-code.js", "text/javascript; charset=utf-8"],
  ["sandbox-key.js", "text/javascript; charset=utf-8"],
  ["reference.js", "text/javascript; charset=utf-8"],
  ["character-keys.js", "text/javascript; charset=utf-8"],
  ["search.js", "text/javascript; charset=utf-8"],
  ["status.js", "text/javascript; charset=utf-8"],
  ["theme.js", "text/javascript; charset=utf-8"],
];

const htmlType = "text/html; charset=utf-8";
const markdownType = "text/markdown; charset=utf-8";

/** Revalidated on every use, because these paths stay the same when their content changes. */
const revalidated = { cacheControl: "no-cache" };

/** Pages of every origin may read the document: it is public. */
const publicFile = { ...revalidated, headers: { "Access-Control-Allow-Origin": "*" } };

export interface DocsPagesOptions {
  readonly url: () => string;
  /** The services that the server has. */
  readonly services: readonly DescService[];
  /** The scopes that a key can have. */
  readonly scopes: readonly string[];
}

/**
 * The pages of the documentation, by path: `/openapi.json`, `/openapi.yaml`, `/docs` and everything below it, their Markdown, and their
 * assets. `url` is the configured address, or else the one that the server listens on. Each page is rendered when it is first asked for,
 * and kept.
 */
export async function docsPages({ url, services, scopes }: DocsPagesOptions): Promise<Map<string, Page>> {
  const miniSearch = await findMiniSearch();
  const readDocument = await documentReader({ services, scopes });
  const openApi = openApiFiles(readDocument, url);
  const referencePages = await listPages(services);
  const miniSearchPath = `assets/minisearch-${miniSearch.version}.js`;
  const site = once(() =>
    createSite({
      document: JSON.parse(openApi.json().bytes.toString()),
      origin: url(),
      services,
      pages: referencePages,
      miniSearch: miniSearchPath,
    }),
  );
  const html = (page: ReferencePage) => async () => docsHtml(site(), page, await page.render(site()));
  const rendered = (type: string, render: () => string | Promise<string>) =>
    once(async () => new StaticFile(type, Buffer.from(await render())));
  const text = (type: string, render: () => string | Promise<string>) => filePage(rendered(type, render), revalidated);
  const pages = new Map<string, Page>([
    ["/openapi.json", filePage(openApi.json, publicFile)],
    ["/openapi.yaml", filePage(openApi.yaml, publicFile)],
    ["/llms.txt", text("text/plain; charset=utf-8", () => llmsText(site()))],
    ["/docs/search.json", text("application/json", () => searchJson(site()))],
  ]);
  for (const page of referencePages) {
    const file = rendered(htmlType, html(page));
    pages.set(page.path, filePage(file, { ...revalidated, headers: pageHeaders }));
    // Chats and proxies add a slash, below which the relative links of the page would lead nowhere.
    pages.set(`${page.path}/`, redirectPage(308, `../${basename(page.path)}`));
    const markdown = page.path === "/docs" ? wholeMarkdown : page.markdown;
    pages.set(
      markdownPath(page.path),
      text(markdownType, () => markdown(site())),
    );
  }
  for (const [name, type] of assets) {
    const file = new StaticFile(type, await readFile(join(import.meta.dirname, "../assets", name)));
    pages.set(
      `/docs/assets/${name}`,
      filePage(() => file, revalidated),
    );
  }
  for (const file of pictures) {
    const picture = new StaticFile("image/svg+xml", await readFile(join(import.meta.dirname, "../../../..", file)));
    pages.set(
      `/${file}`,
      filePage(() => picture, revalidated),
    );
  }
  // The version is in the path, so the content never changes.
  pages.set(
    `/docs/${miniSearchPath}`,
    filePage(rendered("text/javascript; charset=utf-8", miniSearch.read), {
      cacheControl: "public, max-age=31536000, immutable",
    }),
  );
  return pages;
}

/** Reads the document, and returns what makes that of the services: that takes tens of milliseconds, for which no start has to wait. */
async function documentReader(of: Pick<DocsPagesOptions, "services" | "scopes">): Promise<() => JsonObject> {
  const text = await readFile(join(import.meta.dirname, "../../../../gen/openapi.json"), "utf8");
  return () => documentOf(of, JSON.parse(text));
}
