/** The pages that a browser gets, and what programs get at the same addresses. */
import { request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";

const app = useTestApp();

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** The path as it stands, which `fetch` would tidy. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest(app.url, { path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    })
      .on("error", reject)
      .end();
  });
}

/** What Chromium, Firefox and Safari send. */
const browsers = [
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
];
const [browser = ""] = browsers;

describe("/", () => {
  test.each([
    [{}, "docs"],
    [{ Accept: "application/json" }, "docs"],
    [{ Accept: browser }, "console/"],
  ] as const)("leads browsers to the console, and programs to the reference: %j", async (headers, to) => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers: answer } = await ask("/", headers, method);
      expect([status, answer.location]).toEqual([302, to]);
    }
  });

  test("takes nothing", async () => {
    expect((await ask("/", {}, "POST")).status).toBe(404);
  });
});

describe("an unknown address", () => {
  test.each([...browsers, "text/html", "text/*", "application/json;q=0.5, text/html;q=0.6", "TEXT/HTML"])(
    "is a page for who rather reads HTML: %s",
    async (accept) => {
      const { status, headers, text } = await ask("/nowhere", { Accept: accept });
      expect([status, headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
      expect(String(headers.vary).toLowerCase()).toContain("accept");
      expect(text).toContain('href="docs"');
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/https?:|\*|unsafe/);
      expect(headers["x-request-id"]).toMatch(/^req_/);
    },
  );

  test.each([
    undefined,
    "*/*",
    "application/json",
    "text/html, application/json",
    "text/html;q=0.1, */*",
    "text/html;q=0",
    "image/png",
    "garbage",
  ])("is JSON for other clients: %s", async (accept) => {
    const { status, headers, text } = await ask("/nowhere", accept === undefined ? {} : { Accept: accept });
    expect([status, headers["content-type"]]).toEqual([404, "application/json"]);
    expect(JSON.parse(text).error.code).toBe("not_found");
    expect(String(headers.vary).toLowerCase()).toContain("accept");
  });

  test("is a page for GET and HEAD only, and never below the API's paths", async () => {
    const accept = { Accept: browser };
    expect(JSON.parse((await ask("/nowhere", accept, "POST")).text).error.code).toBe("not_found");
    const head = await ask("/nowhere", accept, "HEAD");
    expect([head.status, head.headers["content-type"], head.text]).toEqual([404, "text/html; charset=utf-8", ""]);
    const known = await ask("/api/v1/lookup?number=1", accept);
    expect([known.status, JSON.parse(known.text).error.code]).toEqual([401, "invalid_api_key"]);
  });

  test("repeats nothing of the request, and has its style sheet at any depth", async () => {
    for (const path of [
      "/canary",
      "/canary/",
      "/a/b/canary",
      "/a//canary?canary",
      "/canary%3Cscript%3E/<canary>/%22%3E",
    ]) {
      const { status, text } = await ask(path, { Accept: browser, Host: "canary.example", Referer: "canary" });
      expect(status, path).toBe(404);
      expect(text).not.toContain("canary");
      const base = /<base href="([^"]+)">/.exec(text)?.[1] ?? "";
      const page = new URL(path, `${app.url}/prefix/`).href.replace(app.url, `${app.url}/prefix`);
      const [style = ""] = /docs\/assets\/[^"]+\.css/.exec(text) ?? [];
      expect(new URL(style, new URL(base, page)).pathname, path).toBe(`/prefix/${style}`);
    }
  });

  test("has a short answer for a long path", async () => {
    const { status, text } = await ask("/a".repeat(5_000), { Accept: browser });
    expect(status).toBe(404);
    expect(text.length).toBeLessThan(20_000);
  });
});
