/** All pages of the reference, found by following links: what is on them, where they lead, and how large they are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { errorCodes } from "../../../src/capabilities/reference/error-guide.ts";
import { useTestApp } from "../../support/app.ts";
import { chapterNames } from "./guide-chapter.ts";
import { htmlFaults } from "./html-faults.ts";
import { DocumentReader } from "./openapi-document.ts";

const app = useTestApp();

interface CrawledPage {
  readonly html: string;
  /** Paths, with fragments, of this server. */
  readonly links: readonly string[];
}

const pages = new Map<string, CrawledPage>();
const milliseconds = new Map<string, number>();
let reader: DocumentReader;

/** Follows every link below `/docs`, from `/docs` on. */
beforeAll(async () => {
  reader = new DocumentReader(JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text()));
  const waiting = ["/docs"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (pages.has(path)) {
      continue;
    }
    const startedAt = performance.now();
    const response = await fetch(app.url + path);
    const html = await response.text();
    milliseconds.set(path, performance.now() - startedAt);
    expect(response.status, path).toBe(200);
    const links = [...html.matchAll(/ href="([^"]*)"/g)]
      .map(([, href = ""]) => new URL(href.replaceAll("&amp;", "&"), app.url + path))
      .filter(({ origin }) => origin === app.url)
      .map(({ pathname, hash }) => pathname + hash);
    pages.set(path, { html, links });
    waiting.push(...links.map(pathOf).filter((link) => /^\/docs(\/(?!assets)[^.]*)?$/.test(link)));
  }
});

const pathOf = (link: string) => link.replace(/#.*$/, "");
const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, "")
    .replace(
      /&(lt|gt|quot|#39|#x27|amp);/g,
      (_, name: string) => ({ lt: "<", gt: ">", quot: '"', amp: "&" })[name] ?? "'",
    );
const htmlOf = (path: string) => pages.get(path)?.html ?? "";

describe("every page", () => {
  test("is reached from /docs: chapters, groups, errors, operators' guides, decisions", () => {
    const paths = [...pages.keys()];
    expect(paths).toEqual(
      expect.arrayContaining([
        ...["/docs", "/docs/errors", "/docs/decisions", "/docs/guides/operations", "/docs/guides/delivery"],
        ...["/docs/guides/security", "/docs/guides/changelog"],
        ...chapterNames
          .filter((name) => name !== "introduction" && name !== "quickstart")
          .map((name) => `/docs/guides/${name}`),
        ...[
          "verify",
          "lookup",
          "events",
          "webhooks",
          "reports",
          "fixed-codes",
          "api-keys",
          "accounts-and-sessions",
        ].map((group) => `/docs/api/${group}`),
      ]),
    );
    const operatorsGuides = readdirSync(join(import.meta.dirname, "../../../docs/guides"));
    expect(paths).toEqual(
      expect.arrayContaining(operatorsGuides.map((file) => `/docs/guides/${file.replace(/\.md$/, "")}`)),
    );
    expect(paths.length).toBeGreaterThan(60);
  });

  test("is well formed, with one h1, one main, and a title of its own", () => {
    const titles = new Set<string>();
    for (const [path, { html }] of pages) {
      expect(htmlFaults(html), path).toEqual([]);
      expect(html.match(/<h1[ >]/g), path).toHaveLength(1);
      expect(html.match(/<main[ >]/g), path).toHaveLength(1);
      const [, title = ""] = /<title>([^<]+)<\/title>/.exec(html) ?? [];
      expect(titles.has(title), `${path}: ${title}`).toBe(false);
      titles.add(title);
    }
  });

  test("has no placeholder left, and no Markdown", () => {
    for (const [path, { html }] of pages) {
      const prose = html.replace(/<pre.*?<\/pre>|<code.*?<\/code>/gs, "");
      expect(prose, path).not.toMatch(/\{\{|\}\}|\]\(|\*\*|`/);
    }
  });

  test("leads nowhere that does not exist: no dead link, no dead anchor", async () => {
    const elsewhere = new Map<string, number>();
    const dead: string[] = [];
    for (const [from, { links }] of pages) {
      for (const link of links) {
        const [path = "", fragment] = link.split("#");
        const target = pages.get(path);
        if (target === undefined && !elsewhere.has(path)) {
          elsewhere.set(path, (await fetch(app.url + path)).status);
        }
        // The console is not built for these tests; its page then says so.
        const isThere = target !== undefined || elsewhere.get(path) === 200 || path.startsWith("/console");
        const hasAnchor = fragment === undefined || fragment === "" || target?.html.includes(` id="${fragment}"`);
        if (!isThere || hasAnchor === false) {
          dead.push(`${from}: ${link}`);
        }
      }
    }
    expect(dead).toEqual([]);
  });

  test("is there in Markdown too", async () => {
    for (const [path, { html }] of pages) {
      const response = await fetch(`${app.url}${path}.md`);
      const text = await response.text();
      expect(response.status, path).toBe(200);
      expect(response.headers.get("content-type"), path).toBe("text/markdown; charset=utf-8");
      const [, heading = ""] = /<h1[^>]*>(.*?)<\/h1>/s.exec(html) ?? [];
      expect(text.replaceAll("`", ""), path).toMatch(/^# /);
      expect(text.replaceAll("`", ""), path).toContain(`# ${textOf(heading)}`);
      expect(text, path).not.toMatch(/\{\{(?!(?:code|brand|minutes|time|payee|amount)\}\})\w+\}\}|\[object/);
    }
  });

  test("loads fast on a slow line: HTML, styles and scripts are below 60 KB, compressed", async () => {
    const sizeOf = async (path: string) => brotliCompressSync(await (await fetch(app.url + path)).bytes()).length;
    const sizes = new Map<string, number>();
    for (const [path, { html }] of pages) {
      const assets = [...html.matchAll(/<(?:link rel="(?:stylesheet|icon)"|script|img)[^>]* (?:href|src)="([^"]+)"/g)];
      const all = new Set([path, ...assets.map(([, href = ""]) => new URL(href, app.url + path).pathname)]);
      let bytes = 0;
      for (const one of all) {
        const known = sizes.get(one) ?? (await sizeOf(one));
        sizes.set(one, known);
        bytes += known;
      }
      const ms = milliseconds.get(path) ?? 0;
      if (!path.startsWith("/docs/decisions/")) {
        console.log(
          `${path}: ${(bytes / 1_000).toFixed(1)} KB in ${all.size} files, first rendered in ${ms.toFixed(0)} ms`,
        );
      }
      expect(bytes, path).toBeLessThan(60_000);
    }
    expect(await sizeOf("/docs/search.json")).toBeLessThan(60_000);
  });
});

describe("the operations", () => {
  test("are all on the page of their group and in its Markdown, with their fields, errors and samples", async () => {
    for (const { method, path, operation } of reader.operations()) {
      const page = `/docs/api/${String(operation.tags[0]).toLowerCase().replace(/\W+/g, "-")}`;
      const [, section = ""] =
        new RegExp(`<section class="operation" id="${operation.operationId}"(.*?)</section>`, "s").exec(htmlOf(page)) ??
        [];
      const markdown = await (await fetch(`${app.url}${page}.md`)).text();
      const shown = textOf(section);
      for (const expected of [operation.summary, `/api/v1${path}`, method.toUpperCase()]) {
        expect(shown, `${page}#${operation.operationId}`).toContain(expected);
        expect(markdown, page).toContain(expected);
      }
    }
  });
});

describe("the errors", () => {
  test("are rows of a table and sections, in HTML and Markdown", async () => {
    const html = htmlOf("/docs/errors");
    const markdown = await (await fetch(`${app.url}/docs/errors.md`)).text();
    const anchors = [...html.matchAll(/<section id="([^"]+)">/g)].map(([, id]) => id);
    expect(anchors).toEqual(errorCodes);
    for (const code of errorCodes) {
      expect(html).toContain(`<tr><th scope="row"><a href="#${code}">`);
      expect(markdown).toContain(`## ${code}\n`);
    }
  });
});

describe("texts for programs", () => {
  test("/llms.txt lists the Markdown of all pages of the navigation, and each link leads there", async () => {
    const text = await (await fetch(`${app.url}/llms.txt`)).text();
    expect(text).toMatch(/^# Byond\n\n> .+\n\n/);
    const links = [...text.matchAll(/^- \[[^\]]+\]\((\S+)\)/gm)].map(([, link = ""]) => link);
    expect(links.length).toBeGreaterThan(20);
    for (const link of links) {
      expect((await fetch(link)).status, link).toBe(200);
    }
  });

  test("/docs.md has every chapter, operation and error", async () => {
    const text = await (await fetch(`${app.url}/docs.md`)).text();
    for (const { path, operation } of reader.operations()) {
      expect(text).toContain(`## ${operation.summary}\n`);
      expect(text).toContain(`/api/v1${path}`);
    }
    for (const code of errorCodes) {
      expect(text).toContain(`## ${code}\n`);
    }
  });
});

test("every address that the search leads to exists", async () => {
  const rows: readonly (readonly string[])[] = JSON.parse(await (await fetch(`${app.url}/docs/search.json`)).text());
  const dead = rows
    .map(([address = ""]) => new URL(address, `${app.url}/docs`))
    .filter(({ pathname, hash }) => {
      const page = pages.get(pathname);
      return page === undefined || (hash !== "" && !page.html.includes(` id="${decodeURIComponent(hash.slice(1))}"`));
    });
  expect(dead.map(String)).toEqual([]);
  expect(rows.length).toBeGreaterThan(500);
});
