import { once } from "node:events";
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { startTestApp, useTestApp } from "../support/app.ts";

test("request durations are counted by route and status", async () => {
  await using app = await startTestApp();
  await app.rest("GET", "/nowhere");
  await app.rest("POST", "/auth/sign-in", { body: {} });
  await app.rest("POST", "/auth/sign-in", { body: {} });
  const response = await fetch(`${app.url}/metrics`);
  expect(response.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  expect(text).toContain("\n# TYPE byond_http_request_duration_seconds histogram\n");
  const unmatched = 'route="unmatched",status="404"';
  const signIn = 'route="POST /api/v1/auth/sign-in",status="422"';
  expect(text).toContain(`\nbyond_http_request_duration_seconds_count{${unmatched}} 1\n`);
  expect(text).toContain(`\nbyond_http_request_duration_seconds_count{${signIn}} 2\n`);
  expect(text).toContain(`\nbyond_http_request_duration_seconds_bucket{le="+Inf",${signIn}} 2\n`);
  expect(text).toContain("\nbyond_lease_valid 1\n");
  expect(text).toMatch(/\nbyond_lease_renewals_total \d+\n/);
  expect(text).toContain('\nbyond_credential_cache_reads_total{from="cache"} 0\n');
});

test("without a token only this machine may read /metrics", async () => {
  await using app = await startTestApp();
  const own = await fetch(`${app.url}/metrics`);
  expect(own.status).toBe(200);
  const proxied = await fetch(`${app.url}/metrics`, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  expect(proxied.status).toBe(404);
});

const publicApp = useTestApp({ isPublic: true });

test("over HTTP/2, a hidden /metrics is answered as any path where nothing is", async () => {
  const session = connect(publicApp.url);
  const stream = session.request({ ":path": "/metrics" });
  const [headers] = await once(stream, "response");
  session.close();
  expect(headers).toMatchObject({ ":status": 404, "x-request-id": expect.stringMatching(/^req_\w{22}$/) });
});

test.each([
  ["loopback", {}],
  ["a key", { "X-API-Key": "pk_live_8fa2.s3cr3t" }],
  ["an empty token", { Authorization: "Bearer " }],
  ["no token at all", { Authorization: "Bearer undefined" }],
])("a public server without a token hides /metrics from everybody: %s", async (_who, headers) => {
  const { status, text } = await fetch(`${publicApp.url}/metrics`, { headers }).then(async (answer) => ({
    status: answer.status,
    text: await answer.text(),
  }));
  expect(status).toBe(404);
  expect(JSON.parse(text).error.code).toBe("not_found");
});

test("with a token only requests with it may read /metrics", async () => {
  await using app = await startTestApp({ metricsToken: "a token of the tests" });
  const read = (headers: Record<string, string>) => fetch(`${app.url}/metrics`, { headers });
  expect((await read({ Authorization: "Bearer a token of the tests" })).status).toBe(200);
  expect((await read({ Authorization: "Bearer another" })).status).toBe(404);
  expect((await read({})).status).toBe(404);
});
