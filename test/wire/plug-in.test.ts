import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Config, standardCapabilities } from "../../src/app.ts";
import { readConfig } from "../../src/process/server-config.ts";
import { password, startTestApp, type TestApp } from "../support/app.ts";
import { badgesCapability, readBadgeService } from "./badges/badges.capability.ts";

type BadgeService = Awaited<ReturnType<typeof readBadgeService>>;

// biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects of the document
async function documentOf({ url }: TestApp): Promise<any> {
  return (await fetch(`${url}/openapi.json`)).json();
}

describe("a capability defined by a test", () => {
  let app: TestApp;
  let key: string;
  let service: BadgeService;
  beforeAll(async () => {
    service = await readBadgeService();
    const settings = { badgeText: "Badges for all" } as Partial<Config>;
    const capabilities = [...standardCapabilities(), badgesCapability(service)];
    app = await startTestApp(settings, { capabilities, sweepIntervalMs: 20 });
    key = await app.mintKey({ mode: "test" });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
  });

  test("is called over REST, with its validation rules and its scope", async () => {
    const issued = await app.rest("POST", "/badges", { key, body: { name: "Ada" } });
    expect(issued).toMatchObject({ status: 200, body: { id: expect.stringMatching(/^bdg_/), name: "Ada" } });
    const empty = await app.rest("POST", "/badges", { key, body: { name: "" } });
    expect(empty).toMatchObject({
      status: 422,
      body: { error: { code: "validation_error", fields: { name: expect.anything() } } },
    });
    const scoped = await app.mintKey({ mode: "test", scopes: ["badges"] });
    expect((await app.rest("POST", "/badges", { key: scoped, body: { name: "Ada" } })).status).toBe(200);
    const other = await app.mintKey({ mode: "test", scopes: ["verify"] });
    expect((await app.rest("POST", "/badges", { key: other, body: { name: "Ada" } })).body.error.code).toBe(
      "insufficient_scope",
    );
    expect((await app.rest("POST", "/badges", { body: { name: "Ada" } })).status).toBe(401);
  });

  test("is called over gRPC", async () => {
    const transport = createGrpcTransport({ baseUrl: app.url });
    const client = createClient(service, transport);
    const badge = await client.issueBadge({ name: "Grace" }, { headers: { "X-API-Key": key } });
    expect(badge).toMatchObject({ name: "Grace" });
  });

  test("supports Idempotency-Key", async () => {
    const call = { key, body: { name: "once" }, headers: { "Idempotency-Key": "one" } };
    const [first, second] = [await app.rest("POST", "/badges", call), await app.rest("POST", "/badges", call)];
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
  });

  test("is in the reference, with the operations of the standard ones", async () => {
    const document = await documentOf(app);
    expect(document.paths["/badges"].post).toMatchObject({ operationId: "issueBadge", tags: ["Badge"] });
    expect(document.paths).toHaveProperty("/lookup");
    expect(document.tags.at(-1).name).toBe("Badge");
    expect(document.components.schemas.Scope.enum).toEqual([
      "guard",
      "balance",
      "verify",
      "reports",
      "lookup",
      "email",
      "events",
      "templates",
      "webhooks",
      "badges",
      "*",
    ]);
  });

  test("has its page, its metrics and its sweep", async () => {
    expect(await (await fetch(`${app.url}/badges`)).text()).toBe("Badges for all");
    await app.rest("POST", "/badges", { key, body: { name: "swept" } });
    expect(await (await fetch(`${app.url}/metrics`)).text()).toMatch(/^byond_badges_issued_total \d+$/m);
    const client = new pg.Client({ connectionString: app.databaseUrl });
    onTestFinished(() => client.end());
    await client.connect();
    const names = async () =>
      (await client.query<{ name: string }>("SELECT name FROM badge")).rows.map(({ name }) => name);
    await vi.waitFor(async () => expect(await names()).not.toContain("swept"), { timeout: 20_000 });
    expect(await names()).toContain("once");
  });

  test("loses its rows of a workspace whose account is deleted", async () => {
    const { session, workspaceId } = await app.signUp();
    const { body: own } = await app.rest("POST", "/api-keys", { session, body: { name: "own", mode: "test" } });
    expect((await app.rest("POST", "/badges", { key: own.key, body: { name: "gone" } })).status).toBe(200);
    const client = new pg.Client({ connectionString: app.databaseUrl });
    onTestFinished(() => client.end());
    await client.connect();
    const left = async () =>
      (await client.query("SELECT name FROM badge WHERE workspace_id = $1", [workspaceId])).rows.length;
    expect(await left()).toBe(1);
    const deleted = await app.rest("POST", "/auth/delete-account", { session, body: { password } });
    expect(deleted.status).toBe(200);
    await app.time.advance({ seconds: 660 });
    await vi.waitFor(async () => expect(await left()).toBe(0), { timeout: 10_000 });
  });

  test("cannot declare a setting that the server has", () => {
    const capabilities = [
      badgesCapability(service, { readSettings: () => ({ badgeText: "", isPublic: false }) as never }),
    ];
    expect(() => readConfig({}, capabilities, undefined)).toThrow(/settings named isPublic/);
  });

  test("must list the scopes that its RPCs require", async () => {
    const capabilities = [...standardCapabilities(), badgesCapability(service, { scopes: [] })];
    await expect(startTestApp({}, { capabilities })).rejects.toThrow(/IssueBadge asks for the scope badges/);
  });
});

test("without the lookup capability, and that of exports, which have lookups, there is no trace of it", async () => {
  const capabilities = standardCapabilities().filter(({ name }) => !["lookup", "recipients"].includes(name));
  await using app = await startTestApp({}, { capabilities });
  const key = await app.mintKey({ mode: "test" });
  expect((await app.rest("GET", "/lookup?number=%2B6591234567", { key })).status).toBe(404);
  const unknown = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": key },
    body: "{}",
  });
  expect(unknown.status).toBe(404);
  const { paths, tags, components } = await documentOf(app);
  expect(Object.keys(paths)).not.toContain("/lookup");
  expect(tags.map(({ name }: { name: string }) => name)).not.toContain("Lookup");
  expect(Object.keys(components.schemas).filter((name) => /^Lookup(?!Email)/.test(name))).toEqual([]);
  expect(
    (await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "ada@example.com" } })).status,
  ).toBe(201);
});
