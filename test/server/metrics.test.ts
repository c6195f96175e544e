import { expect, test } from "vitest";
import { formatMetrics } from "../../src/observe/metrics.ts";
import { startTestApp } from "../support/app.ts";

test("metrics are written in the text format of Prometheus", () => {
  const text = formatMetrics([
    { name: "requests_total", help: "Requests.", type: "counter", samples: [{ labels: { route: 'a"b\n' }, value: 2 }] },
    { name: "up", help: "Up.", type: "gauge", samples: [{ value: 1 }] },
  ]);
  expect(text).toBe(
    "# HELP byond_requests_total Requests.\n# TYPE byond_requests_total counter\n" +
      'byond_requests_total{route="a\\"b\\n"} 2\n' +
      "# HELP byond_up Up.\n# TYPE byond_up gauge\nbyond_up 1\n",
  );
});

test("without a token only this machine may read /metrics", async () => {
  await using app = await startTestApp();
  await app.rest("GET", "/nowhere");
  const own = await fetch(`${app.url}/metrics`);
  expect(own.status).toBe(200);
  expect(await own.text()).toContain('byond_requests_total{route="unmatched",status="404"} 1');
  const proxied = await fetch(`${app.url}/metrics`, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  expect(proxied.status).toBe(404);
});

test.each([
  ["loopback", {}],
  ["a key", { "X-API-Key": "pk_live_8fa2.s3cr3t" }],
  ["an empty token", { Authorization: "Bearer " }],
  ["no token at all", { Authorization: "Bearer undefined" }],
])("a public server without a token hides /metrics from everybody: %s", async (_who, headers) => {
  await using app = await startTestApp({ isPublic: true });
  const { status, text } = await fetch(`${app.url}/metrics`, { headers }).then(async (answer) => ({
    status: answer.status,
    text: await answer.text(),
  }));
  expect(status).toBe(404);
  expect(JSON.parse(text).error.code).toBe("not_found");
});

test("with a token whoever presents it may, and nobody else", async () => {
  await using app = await startTestApp({ metricsToken: "a token of the tests" });
  const read = (headers: Record<string, string>) => fetch(`${app.url}/metrics`, { headers });
  expect((await read({ Authorization: "Bearer a token of the tests" })).status).toBe(200);
  expect((await read({ Authorization: "Bearer another" })).status).toBe(404);
  expect((await read({})).status).toBe(404);
});
