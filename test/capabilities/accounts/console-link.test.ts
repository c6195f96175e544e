/** `/console/enter?token=…`, the link of the start: it signs one browser in to the demo workspace, once. */
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type App, type Config, createApp, parseConfig, standardCapabilities } from "../../../src/app.ts";
import { consoleCapability } from "../../../src/capabilities/console/console.capability.ts";
import { embeddedPostgresAt } from "../../../src/database/provide-postgres.ts";
import { cheapPasswordCost, createMigratedDatabase, startTestApp } from "../../support/app.ts";
import { captureLog } from "../../support/log-capture.ts";

type TestDatabase = Awaited<ReturnType<typeof createMigratedDatabase>>;

let database: TestDatabase;
/** A built console, whose pages are everything below `/console/`. */
let built: string;
const log = captureLog();
beforeAll(async () => {
  database = await createMigratedDatabase();
  built = await mkdtemp(join(tmpdir(), "byond-console-link-"));
  await mkdir(join(built, "assets"));
  await writeFile(join(built, "index.html"), "<!doctype html><title>The console</title>");
});
afterAll(async () => {
  await rm(built, { recursive: true, force: true });
  await database.drop();
});

/** A server that takes the tests' PostgreSQL for its embedded one. */
async function start(changes: Partial<Config> = {}): Promise<App & AsyncDisposable> {
  const config = {
    ...parseConfig({
      DATA_DIR: resolve("unused"),
      PORT: "0",
      BYOND_SECRET: "a secret of the tests that is long enough",
    }),
    ...changes,
  };
  const app = await createApp(config, {
    logger: log.logger,
    passwordCost: cheapPasswordCost,
    capabilities: standardCapabilities().map((each) =>
      each.name === "console" ? consoleCapability({ folder: built }) : each,
    ),
    postgres: await embeddedPostgresAt(database.url),
    onFatal: (reason) => {
      throw reason;
    },
  });
  return { ...app, [Symbol.asyncDispose]: () => app.close() };
}

const ownPage = { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin" };
const follow = (link: string | undefined, init: RequestInit = {}) => fetch(link ?? "", { redirect: "manual", ...init });
const cookieOf = (answer: Response) => answer.headers.get("set-cookie")?.split(";")[0] ?? "";

describe("on a server of one machine", () => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeEach(async () => {
    server = await start();
    return () => server.close();
  });

  test("signs in by cookie and leads to the console, once, even in parallel requests", async () => {
    expect(server.consoleLink).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/console\/enter\?token=[\w-]{43}$/);
    const answers = await Promise.all(Array.from({ length: 20 }, () => follow(server.consoleLink)));
    const [entered, ...others] = answers.filter(({ status }) => status === 303);
    expect(others).toEqual([]);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    expect(answers.filter(({ headers }) => headers.has("set-cookie"))).toEqual([entered]);
    expect(entered?.headers.get("location")).toBe("./");
    const page = await fetch(new URL("./", server.consoleLink), { headers: { Accept: "text/html" } });
    expect(await page.text()).toContain("The console");
    expect(entered?.headers.get("set-cookie")).toMatch(
      /^byond_session_\d+=\S+; Max-Age=\d+; HttpOnly; SameSite=Strict; Path=\/$/,
    );
    const headers = { ...ownPage, Cookie: cookieOf(entered ?? Response.error()) };
    const me = await fetch(`${server.url}/api/v1/auth/me`, { headers });
    expect(await me.json()).toMatchObject({ email: "demo@localhost", verified: true });
    // Reloading it, or going back.
    const again = await follow(server.consoleLink, { headers: { Cookie: headers.Cookie } });
    expect([again.status, again.headers.has("set-cookie")]).toEqual([303, false]);
  });

  test("is not used up by HEAD, by POST, by a wrong token, or at a host that is not this server's", async () => {
    const link = server.consoleLink ?? "";
    expect((await follow(link, { method: "HEAD" })).status).toBe(401);
    expect((await follow(link, { method: "POST" })).status).toBe(405);
    expect((await follow(`${link}x`)).status).toBe(401);
    expect((await follow(`${server.url}/console/enter`)).status).toBe(401);
    const rebound = httpRequest(link, { headers: { Host: "rebound.example" }, agent: false }).end();
    const [answer]: IncomingMessage[] = await once(rebound, "response");
    answer?.resume();
    expect([answer?.statusCode, answer?.headers["set-cookie"]]).toEqual([401, undefined]);
    expect((await follow(link)).status).toBe(303);
  });

  test("tells a person why it does not work any more, in a page that cannot be framed", async () => {
    await follow(server.consoleLink);
    const used = await follow(server.consoleLink, { headers: { Accept: "text/html" } });
    expect(used.status).toBe(401);
    const page = await used.text();
    expect(page).toContain("already used");
    expect(page).toContain('href="./"');
    expect(used.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(used.headers.get("cache-control")).toBe("no-store");
    expect(used.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("is another one at every start, and none is in the log", async () => {
    await using second = await start();
    const token = new URL(server.consoleLink ?? "").searchParams.get("token") ?? "";
    expect(second.consoleLink).not.toContain(token);
    expect((await follow(second.consoleLink?.replace(/token=.*/, `token=${token}`))).status).toBe(401);
    const entered = await follow(server.consoleLink);
    await fetch(`${server.url}/api/v1/auth/me`, { headers: { ...ownPage, Cookie: cookieOf(entered) } });
    const written = log.lines.join("\n");
    expect(written).toContain("/console/enter");
    expect(written).not.toContain(token);
    expect(written).not.toContain(cookieOf(entered).split("~")[1]);
  });
});

test("a public server has none, nor has one with a database of its own", async () => {
  await using open = await start({ isPublic: true });
  expect(open.consoleLink).toBeUndefined();
  // A page of the console.
  const { status, headers } = await follow(`${open.url}/console/enter?token=`);
  expect([status === 303, headers.has("set-cookie")]).toEqual([false, false]);
  await using shared = await startTestApp();
  expect(shared.app.consoleLink).toBeUndefined();
});
