import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DescService, JsonObject } from "@bufbuild/protobuf";
import { once } from "../../../server/once.ts";
import { redirectPage } from "../../../server/redirect-page.ts";
import type { Page } from "../../../server/request-handler.ts";
import { filePage, StaticFile } from "../../../server/static-file.ts";
import { documentOf } from "../openapi/served-document.ts";
import { docsHtml, markdownPath } from "./docs-layout.ts";
import { homePath } from "./home-page.ts";
import { findMiniSearch } from "./minisearch-file.ts";
import { openApiFiles } from "./openapi-files.ts";
import { listPages, pictures } from "./page-list.ts";
import type { Site } from "./reference-page.ts";
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

/** The folder of the product. */
const root = join(import.meta.dirname, "../../../..");

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
 * assets. `url` is the configured address, or else the one that the server listens on. Files are read, and each page is rendered, when
 * they are first asked for, and kept.
 */
export async function docsPages({ url, services, scopes }: DocsPagesOptions): Promise<Map<string, Page>> {
  const miniSearch = await findMiniSearch();
  const openApi = openApiFiles(async () => documentOf({ services, scopes }, await readStandardDocument()), url);
  const listedPages = await listPages(services);
  const miniSearchPath = `assets/minisearch-${miniSearch.version}.js`;
  const site = once(async () =>
    createSite({
      document: JSON.parse((await openApi.json()).bytes.toString()),
      origin: url(),
      services,
      pages: await Promise.all(listedPages.map(({ read }) => read())),
      miniSearch: miniSearchPath,
    }),
  );
  const made = (type: string, content: () => Promise<string | Buffer>) =>
    once(async () => new StaticFile(type, Buffer.from(await content())));
  const text = (type: string, render: (site: Site) => string | Promise<string>) =>
    filePage(
      made(type, async () => render(await site())),
      revalidated,
    );
  const pages = new Map<string, Page>([
    ["/openapi.json", filePage(openApi.json, publicFile)],
    ["/openapi.yaml", filePage(openApi.yaml, publicFile)],
    ["/llms.txt", text("text/plain; charset=utf-8", llmsText)],
    ["/docs/search.json", text("application/json", searchJson)],
  ]);
  for (const { path, read } of listedPages) {
    const file = made(htmlType, async () => {
      const [all, page] = [await site(), await read()];
      return docsHtml(all, page, await page.render(all));
    });
    pages.set(path, filePage(file, { ...revalidated, headers: pageHeaders }));
    // Chats and proxies add a slash, below which the relative links of the page would lead nowhere.
    pages.set(`${path}/`, redirectPage(308, `../${basename(path)}`));
    pages.set(
      markdownPath(path),
      text(markdownType, path === homePath ? wholeMarkdown : async (all) => (await read()).markdown(all)),
    );
  }
  for (const [name, type] of assets) {
    const file = made(type, () => readFile(join(import.meta.dirname, "../assets", name)));
    pages.set(`/docs/assets/${name}`, filePage(file, revalidated));
  }
  for (const path of pictures) {
    const file = made("image/svg+xml", () => readFile(join(root, path)));
    pages.set(`/${path}`, filePage(file, revalidated));
  }
  // The version is in the path, so the content never changes.
  pages.set(
    `/docs/${miniSearchPath}`,
    filePage(made("text/javascript; charset=utf-8", miniSearch.read), {
      cacheControl: "public, max-age=31536000, immutable",
    }),
  );
  return pages;
}

/** The document of all standard services. */
async function readStandardDocument(): Promise<JsonObject> {
  return JSON.parse(await readFile(join(root, "gen/openapi.json"), "utf8"));
}
