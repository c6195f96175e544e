import { request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { errorCodes } from "../../../src/capabilities/reference/error-guide.ts";
import { startTestApp, useTestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";

const app = useTestApp();

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A request whose answer is not decompressed. */
function raw(path: string, headers: Record<string, string> = {}, method = "GET", base = app.url): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${base}${path}`, { headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on("error", reject).end();
  });
}

/** The paths that a page loads, as its HTML names them. */
function assetsOf(html: string, pageUrl: string): string[] {
  const paths = [...html.matchAll(/(?:src|href)="([^"#]+\.(?:js|css|svg))"/g)].map(([, path = ""]) => path);
  return [...new Set(paths.map((path) => new URL(path, pageUrl).pathname))];
}

/** One of each kind, and one with a picture. */
const kindsOfPages = [
  "/docs",
  "/docs/guides/webhooks",
  "/docs/api/verify",
  "/docs/errors",
  "/docs/guides/operations",
  "/docs/guides/fraud-guard",
];

describe("pages", () => {
  test.each(kindsOfPages)("%s is HTML that may load nothing from elsewhere", async (path) => {
    const response = await fetch(app.url + path);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*|unsafe/);
    expect(html).not.toMatch(/<style|<script(?! (type="module" )?src)| style="| on\w+="/);
    const foreign = [...html.matchAll(/<(?:link|script|img|iframe)[^>]+(?:src|href)="(https?:|\/\/)/g)];
    expect(foreign).toEqual([]);
  });

  test.each(kindsOfPages)("all that %s names is served", async (path) => {
    const html = await (await fetch(app.url + path)).text();
    const assets = assetsOf(html, app.url + path);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      const response = await fetch(app.url + asset);
      expect(response.status, asset).toBe(200);
      expect(response.headers.get("content-type"), asset).toMatch(/^(text\/(css|javascript)|image\/svg\+xml)/);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  test.each([...kindsOfPages, "/docs/guides/webhooks"])(
    "%s with a slash at its end leads to the one without",
    async (path) => {
      expect((await fetch(`${app.url}${path}/`)).url).toBe(app.url + path);
    },
  );

  test("other methods and other paths are answered as unknown paths", async () => {
    expect((await fetch(`${app.url}/docs`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${app.url}/docs/assets/../../package.json`)).status).toBe(404);
    expect((await fetch(`${app.url}/docs/assets/%2e%2e/docs.css`)).status).toBe(404);
  });
});

describe("files", () => {
  const script = async () => {
    const html = await (await fetch(`${app.url}/docs`)).text();
    return `/${/data-mini-search="([^"]+)"/.exec(html)?.[1]}`;
  };

  test("are compressed if the client accepts it, without loss", async () => {
    const path = await script();
    const plain = await raw(path);
    const br = await raw(path, { "accept-encoding": "gzip, br" });
    const gzip = await raw(path, { "accept-encoding": "gzip, br;q=0" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(br.headers["content-encoding"]).toBe("br");
    expect(gzip.headers["content-encoding"]).toBe("gzip");
    expect(br.body.length).toBeLessThan(plain.body.length / 3);
    expect(brotliDecompressSync(br.body).equals(plain.body)).toBe(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
    expect(br.headers.vary).toBe("Accept-Encoding");
    expect(new Set([plain, br, gzip].map(({ headers }) => headers.etag)).size).toBe(3);
  });

  test.each([
    ["gzip, br;q=0.1", "gzip"],
    ["*", "br"],
    ["br;q=0, *", "gzip"],
    ["*;q=0", undefined],
  ])("Accept-Encoding: %s gets %s", async (accepted, encoding) => {
    const { headers } = await raw("/openapi.json", { "accept-encoding": accepted });
    expect(headers["content-encoding"]).toBe(encoding);
  });

  test("are answered 304 if the client has them", async () => {
    for (const path of ["/docs", "/openapi.json", "/docs/assets/docs.css", await script()]) {
      const headers = { "accept-encoding": "br" };
      const first = await raw(path, headers);
      const again = await raw(path, { ...headers, "if-none-match": `"other", W/${first.headers.etag}` });
      expect(again.status, path).toBe(304);
      expect(again.body.length).toBe(0);
      expect((await raw(path, { ...headers, "if-none-match": "*" })).status).toBe(304);
      expect((await raw(path, { ...headers, "if-none-match": '"other"' })).status).toBe(200);
    }
  });

  test("with a version in their path may be cached forever", async () => {
    expect((await raw(await script())).headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await raw("/docs")).headers["cache-control"]).toBe("no-cache");
  });

  test("answer HEAD as GET, without the body", async () => {
    const head = await raw("/openapi.json", {}, "HEAD");
    const get = await raw("/openapi.json");
    expect(head.body.length).toBe(0);
    expect(head.headers["content-length"]).toBe(String(get.body.length));
  });
});

describe("the live address", () => {
  test("is the address listened on if none is configured", async () => {
    const text = (await raw("/openapi.json")).body.toString();
    const { servers } = JSON.parse(text);
    expect(servers[0].url).toBe(`${app.url}/api/v1`);
    expect(text).not.toContain("http://127.0.0.1:8080");
    for (const path of ["/docs.md", "/llms.txt", "/docs/errors", "/docs/errors.md", "/docs/guides/clients"]) {
      const page = (await raw(path)).body.toString();
      expect(page, path).toContain(app.url);
      expect(page, path).not.toContain("http://127.0.0.1:8080");
    }
  });

  test("/openapi.yaml is the same document, to readers of YAML 1.1 too", async () => {
    const { headers, body } = await raw("/openapi.yaml");
    expect(headers["content-type"]).toBe("application/yaml");
    const document = JSON.parse((await raw("/openapi.json")).body.toString());
    for (const version of ["1.1", "1.2"] as const) {
      expect(parse(body.toString(), { version })).toEqual(document);
    }
  });

  /** Whose pages nobody has read before. */
  const fresh = useTestApp();
  test.each([
    ...[
      "/openapi.json",
      "/openapi.yaml",
      "/docs",
      "/docs/errors",
      "/docs/",
      "/docs/api/verify",
      "/docs/guides/webhooks",
      "/docs.md",
    ],
    ...["/llms.txt", "/docs/search.json", "/docs/api/verify.md", "/dev/inbox", "/", "/api/v1/nowhere", "/nowhere"],
  ])("never comes from the Host or forwarding headers of a request: %s", async (path) => {
    const ask = (headers: Record<string, string>) => raw(path, headers, "GET", fresh.url);
    const named = await ask({
      host: "evil.example:8443",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example;proto=https",
    });
    expect(JSON.stringify(named.headers) + named.body.toString()).not.toContain("evil.example");
    const later = await ask({});
    expect(later.status).toBe(named.status);
    expect(later.body.toString()).not.toContain("evil.example");
  });

  test("is the configured one, in servers, samples, texts and the error page", async () => {
    const port = await freePort();
    await using _ = await startTestApp({ port, publicUrl: "https://verify.example.com/byond" });
    const listening = `http://127.0.0.1:${port}`;
    const text = await (await fetch(`${listening}/openapi.json`)).text();
    const document = JSON.parse(text);
    const base = "https://verify.example.com/byond/api/v1";
    expect(document.servers[0].url).toBe(base);
    const quickstart = await (await fetch(`${listening}/docs`)).text();
    expect(quickstart.replace(/<[^>]+>/g, "")).toContain("https://verify.example.com/byond");
    expect(document.info.description).toContain("https://verify.example.com/byond/docs");
    // Those of REST read the address from the environment.
    expect(document.paths["/verify/start"].post["x-codeSamples"].at(-1).source).toContain("verify.example.com:443");
    expect(text).not.toContain("127.0.0.1");
    const errors = await (await fetch(`${listening}/docs/errors`)).text();
    expect(errors).toContain("https://verify.example.com/byond/docs/errors#not_found");
    const { error } = JSON.parse(await (await fetch(`${listening}/api/v1/nowhere`)).text());
    expect(error.documentation_url).toBe("https://verify.example.com/byond/docs/errors#not_found");
  });
});

describe("/docs/errors", () => {
  test("has an anchor for every code, and only for those", async () => {
    const html = await (await fetch(`${app.url}/docs/errors`)).text();
    const anchors = [...html.matchAll(/<section id="([^"]+)">/g)].map(([, id]) => id);
    expect(anchors).toEqual(errorCodes);
    expect(errorCodes.length).toBeGreaterThan(15);
  });

  test("is the target of an error's documentation_url", async () => {
    const { body } = await app.rest("GET", "/lookup?number=1");
    const url = new URL(body.error.documentation_url);
    const html = await (await fetch(url)).text();
    expect(html).toContain(`<section id="${url.hash.slice(1)}">`);
  });
});
