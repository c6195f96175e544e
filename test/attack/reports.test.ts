/** Reports as tables: whatever `Accept` and the time zone are, an answer is of one of two types, or a refusal. */
import { request as requestHttp } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ scopes: ["*"] });
});

function report(query: string, accept: string | string[]) {
  return new Promise<{ status: number; type: string; sniffing: unknown; vary: string; text: string }>(
    (resolve, reject) => {
      const { hostname, port } = new URL(app.url);
      const path = `/api/v1/reports/verifications?group_by=day&${query}`;
      const request = requestHttp({ hostname, port, path, headers: { "x-api-key": key, accept } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const { "content-type": type = "", "x-content-type-options": sniffing, vary = "" } = response.headers;
          resolve({ status: response.statusCode ?? 0, type, sniffing, vary, text: Buffer.concat(chunks).toString() });
        });
      });
      request.on("error", reject).end();
    },
  );
}

const [csv, json] = ["text/csv; charset=utf-8", "application/json"];

test.each<[string | string[], number, string]>([
  ["TEXT/CSV", 200, csv],
  ["text/*", 200, csv],
  ["application/*;q=0.5, text/*;q=0.6", 200, csv],
  ["*/*;q=0.1, text/csv", 200, csv],
  ["text/csv; charset=utf-16", 200, csv],
  ["text/csv,".repeat(800), 200, csv],
  [`text/csv;a="${"x".repeat(4_000)}`, 200, csv],
  [["text/csv", "application/json"], 200, json],
  ["text/csv;q=0, */*", 200, json],
  ["text/html, application/xhtml+xml, */*;q=0.8", 200, json],
  [",", 200, json],
  ["", 200, json],
  ["text/csv;q=0", 406, json],
  [`"text/csv"`, 406, json],
  ["text/csvx", 406, json],
])("Accept: %s", async (accept, status, type) => {
  const answer = await report("", accept);
  expect(answer).toMatchObject({ status, type, sniffing: "nosniff" });
  expect(answer.text.startsWith(type === csv ? "day,channel" : "{")).toBe(true);
  expect(answer.vary.toLowerCase().includes("accept") || status !== 200).toBe(true);
});

describe("a time zone", () => {
  test.each([
    "../../etc/passwd",
    "posix/UTC",
    "UTC\0",
    "UTC+1",
    "+05:37",
    "Etc/GMT+99",
    "Factory",
    "__proto__",
    "\uff21sia/Kolkata",
    "Asia/Kolkata ",
    "a".repeat(65),
  ])("%j is none", async (timeZone) => {
    const { status, text } = await report(`time_zone=${encodeURIComponent(timeZone)}`, "text/csv");
    expect([status, Object.keys(JSON.parse(text).error.fields)]).toEqual([422, ["time_zone"]]);
  });

  test.each(["Africa/Monrovia", "Pacific/Apia", "Antarctica/Troll", "America/St_Johns", "utc"])(
    "%s has days in every year that a report takes",
    async (timeZone) => {
      for (const year of [2000, 2011, 2400, 2999]) {
        const query = `from=${year}-01-01&until=${year}-12-31&time_zone=${timeZone}`;
        expect((await report(query, "text/csv")).status, String(year)).toBe(200);
      }
    },
  );
});
