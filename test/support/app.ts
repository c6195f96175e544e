import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll } from "vitest";
import { ApiKeyService } from "../../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../../gen/byond/v1/auth_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { type App, type AppOptions, type Config, createApp, parseConfig } from "../../src/app.ts";
import type { InboxMessage } from "../../src/capabilities/channels/inbox/inbox.ts";
import type { HashCost } from "../../src/crypto/argon2-hasher.ts";
import { Database } from "../../src/database/database.ts";
import type { Shedding } from "../../src/server/load-shedder.ts";
import { connectionTo } from "./database-address.ts";
import { captureLog } from "./log-capture.ts";
import { createTestDatabase, ensureTemplate } from "./postgres.ts";
import { standardSchema } from "./schema.ts";
import { TestTime } from "./time.ts";

/** An answer of the REST interface. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly body: any;
}

export interface RestCall {
  readonly key?: string;
  readonly session?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The password of every account that tests make. */
export const password = "correct horse battery";

/** A new account and its first session. */
export interface SignedUp {
  readonly session: string;
  readonly refreshToken: string;
  readonly userId: string;
  readonly workspaceId: string;
  readonly email: string;
}

/** What tests can change about the server's surroundings. */
type TestAppOptions = Pick<AppOptions, "sweepIntervalMs" | "passwordCost" | "capabilities" | "shedding">;

/** The cost of password hashes, unless a test asks for production's, which take 30 ms of a core each. */
export const cheapPasswordCost: HashCost = { memoryKiB: 64, passes: 1 };

/** Tests that run at the same time make the event loop late, which they share with the server. */
const noShedding: Shedding = {
  isActive: false,
  delaysMs: { loop: 0, database: 0 },
  arrived: () => undefined,
  sheds: () => false,
};

/** A server in this process, on a database of its own, with what tests need to call it. */
export interface TestApp extends AsyncDisposable {
  readonly url: string;
  readonly app: App;
  readonly databaseUrl: string;
  readonly time: TestTime;
  readonly logLines: readonly string[];
  /** Calls `/api/v1` and reads the JSON. */
  rest(method: string, path: string, call?: RestCall): Promise<RestAnswer>;
  /** A session of a new account, whose password is `password`. */
  signUp(name?: string): Promise<SignedUp>;
  /** Another server on the same database, with the same clock. Close it before this one. */
  startAnother(changes?: Partial<Config>, options?: TestAppOptions): Promise<TestApp>;
  /** A new key of a new account. */
  mintKey(options?: { readonly mode?: "live" | "test"; readonly scopes?: readonly string[] | null }): Promise<string>;
  /** Calls over gRPC, with the headers on every call. */
  grpc(headers?: Readonly<Record<string, string>>): {
    readonly verify: ReturnType<typeof createClient<typeof VerifyService>>;
    readonly lookup: ReturnType<typeof createClient<typeof LookupService>>;
    readonly apiKeys: ReturnType<typeof createClient<typeof ApiKeyService>>;
    readonly auth: ReturnType<typeof createClient<typeof AuthService>>;
  };
  /** Everything in the inbox, newest first. Uses up the link of the start: a test of the link needs its own server. */
  inbox(): Promise<readonly InboxMessage[]>;
  /** Waits for a message to this recipient in the local inbox, and returns the newest. */
  messageTo(recipient: string): Promise<InboxMessage>;
}

/** A database of its own with the schema in place. */
export async function createMigratedDatabase() {
  const template = await ensureTemplate("byond_migrated", async (url) => {
    const database = await Database.open({
      connection: await connectionTo(url),
      logger: captureLog().logger,
      ...standardSchema,
    });
    await database.close();
  });
  return createTestDatabase(template);
}

/** Starts a server on a database of its own. Close it, or declare it with `await using`. */
export async function startTestApp(changes: Partial<Config> = {}, options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createMigratedDatabase();
  const time = new TestTime(database.url);
  return startServer(database.url, time, { count: 0 }, changes, options, async () => {
    await time.close();
    await database.drop();
  });
}

/**
 * A server with its own database, for all tests of a file or a `describe`. It starts in a `beforeAll`, and is closed after all
 * other `afterAll`s.
 */
export function useTestApp(changes?: Partial<Config>, options?: TestAppOptions): TestApp {
  let running: TestApp | undefined;
  beforeAll(async () => {
    running = await startTestApp(changes, options);
  });
  afterAll(() => running?.[Symbol.asyncDispose]());
  const app = (): TestApp => {
    if (running === undefined) {
      throw new Error("the server starts before the first test, not while tests are being collected");
    }
    return running;
  };
  return {
    get url() {
      return app().url;
    },
    get app() {
      return app().app;
    },
    get databaseUrl() {
      return app().databaseUrl;
    },
    get time() {
      return app().time;
    },
    get logLines() {
      return app().logLines;
    },
    rest: (...call) => app().rest(...call),
    signUp: (...name) => app().signUp(...name),
    startAnother: (...changed) => app().startAnother(...changed),
    mintKey: (...chosen) => app().mintKey(...chosen),
    grpc: (...headers) => app().grpc(...headers),
    inbox: () => app().inbox(),
    messageTo: (recipient) => app().messageTo(recipient),
    [Symbol.asyncDispose]: () => app()[Symbol.asyncDispose](),
  };
}

async function startServer(
  databaseUrl: string,
  time: TestTime,
  accounts: { count: number },
  changes: Partial<Config>,
  options: TestAppOptions,
  afterClose: () => Promise<void>,
): Promise<TestApp> {
  const log = captureLog();
  const config: Config = {
    ...parseConfig({
      DATABASE_URL: databaseUrl,
      PORT: "0",
      SIGN_UP: "open",
      SIGN_UP_LIMIT: "1000000",
      DEFAULT_TIER: "unlimited",
      BYOND_SECRET: "a secret of the tests that is long enough",
    }),
    isPublic: false,
    inbox: "all",
    ...changes,
  };
  const app = await createApp(config, {
    logger: log.logger,
    clock: time,
    passwordCost: cheapPasswordCost,
    shedding: noShedding,
    ...options,
    onFatal: (reason) => {
      throw reason;
    },
  });

  async function rest(method: string, path: string, call: RestCall = {}): Promise<RestAnswer> {
    const response = await fetch(`${app.url}/api/v1${path}`, {
      method,
      headers: {
        ...(call.key === undefined ? {} : { "X-API-Key": call.key }),
        ...(call.session === undefined ? {} : { Authorization: `Bearer ${call.session}` }),
        ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  async function signUp(name = "Acme") {
    accounts.count += 1;
    const email = `owner-${accounts.count}@example.com`;
    const { status, body } = await rest("POST", "/auth/sign-up", { body: { email, password, name } });
    if (status !== 201) {
      throw new Error(`sign-up answered ${status}: ${JSON.stringify(body)}`);
    }
    return {
      session: body.access_token,
      refreshToken: body.refresh_token,
      userId: body.user_id,
      workspaceId: body.workspace_id,
      email,
    };
  }

  let inboxCookie: Promise<string> | undefined;
  async function openInbox(): Promise<string> {
    const response = await fetch(app.inboxLink ?? "");
    await response.arrayBuffer();
    return response.headers.get("set-cookie")?.split(";")[0] ?? "";
  }
  async function inbox(): Promise<readonly InboxMessage[]> {
    inboxCookie ??= openInbox();
    const response = await fetch(`${app.url}/dev/inbox`, { headers: { Cookie: await inboxCookie } });
    if (response.status !== 200) {
      throw new Error(`the inbox answered ${response.status}: ${await response.text()}`);
    }
    return JSON.parse(await response.text());
  }

  return {
    url: app.url,
    app,
    databaseUrl,
    time,
    logLines: log.lines,
    rest,
    signUp,
    startAnother: (otherChanges = changes, otherOptions = options) =>
      startServer(databaseUrl, time, accounts, otherChanges, otherOptions, async () => undefined),
    async mintKey({ mode = "live", scopes = null } = {}) {
      const { session } = await signUp();
      const { body } = await rest("POST", "/api-keys", { session, body: { name: "test key", mode, scopes } });
      return body.key;
    },
    grpc(headers = {}) {
      const transport: Transport = createGrpcTransport({
        baseUrl: app.url,
        interceptors: [
          (next) => (request) => {
            for (const [name, value] of Object.entries(headers)) {
              request.header.set(name, value);
            }
            return next(request);
          },
        ],
      });
      return {
        verify: createClient(VerifyService, transport),
        lookup: createClient(LookupService, transport),
        apiKeys: createClient(ApiKeyService, transport),
        auth: createClient(AuthService, transport),
      };
    },
    inbox,
    async messageTo(recipient) {
      for (let look = 0; look < 500; look++) {
        const messages = await inbox();
        const message = messages.find((candidate) => candidate.recipient === recipient);
        if (message !== undefined) {
          return message;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no message to ${recipient} arrived`);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await afterClose();
    },
  };
}
