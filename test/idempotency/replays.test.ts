/** Idempotency-Key: whatever is repeated happens once, over whichever protocol it is repeated. */
import { request as requestHttp1 } from "node:http";
import { connect } from "node:http2";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inbox } from "../capabilities/verify/verify-calls.ts";
import { type SignedUp, startTestApp, type TestApp, useTestApp } from "../support/app.ts";
import {
  grpcClient,
  type Input,
  type ProtocolAnswer,
  type ProtocolCall,
  type ProtocolClient,
  protocolClients,
  type RpcName,
  restClient,
} from "../wire/protocol-clients.ts";

const app = useTestApp();
/** Another server on the same database. */
let other: TestApp;
let owner: SignedUp;
let key: string;
beforeAll(async () => {
  other = await app.startAnother();
  owner = await app.signUp();
  key = (await mint()).key;
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
});

async function mint(restrictions: Input = {}): Promise<{ readonly id: string; readonly key: string }> {
  const { session } = owner;
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } });
  return body;
}

const fresh = (name: string) => `${name}-${crypto.randomUUID()}`;
const isReplayed = ({ headers }: ProtocolAnswer) => headers.get("Idempotent-Replayed") === "true";
const withKey = (idempotencyKey: string, call: ProtocolCall = { key }): ProtocolCall => ({
  ...call,
  headers: { ...call.headers, "Idempotency-Key": idempotencyKey },
});

/** What an answer says, without what tells one request from another. */
function contentOf({ code, body }: ProtocolAnswer) {
  const { request_id: _requestId, ...content } = body;
  return { code, content };
}

async function startedFor(recipient: string): Promise<readonly string[]> {
  const { body } = await app.rest("GET", `/verifications?recipient=${recipient}`, { key });
  return body.verifications.map((verification: { verification_id: string }) => verification.verification_id);
}

/** The code that was sent to a recipient who got one message, on whichever server. */
async function codeFor(recipient: string): Promise<string> {
  const { text } = await app.messageTo(recipient);
  return /\b\d{6}\b/.exec(text)?.[0] ?? "";
}

const wrongCode = (code: string) => (code === "111111" ? "222222" : "111111");

async function query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** What a text may look like in a column: as it is, in base64 wherever it begins in what is encoded, and both as bytes. */
function formsOf(text: string): readonly string[] {
  const encoded = ["", "x", "xx"].map((before) => {
    const base64 = Buffer.from(before + text).toString("base64");
    // The first and the last characters depend on what stands beside the text.
    return base64.slice(before === "" ? 0 : 4, -4);
  });
  return [text, ...encoded].flatMap((form) => [form, Buffer.from(form).toString("hex")]);
}

/** The tables that hold a text anywhere: in a text, a list, a JSON document, or as bytes. */
async function tablesHolding(text: string): Promise<readonly string[]> {
  const tables = await query<{ name: string }>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(8);
  const holding: string[] = [];
  for (const { name } of tables) {
    const found = await query(
      `SELECT FROM ${name} AS line WHERE EXISTS (SELECT FROM unnest($1::text[]) AS form WHERE strpos(line::text, form) > 0)
       LIMIT 1`,
      [formsOf(text)],
    );
    if (found.length > 0) {
      holding.push(name);
    }
  }
  return holding;
}

async function expectOneOfAHundred(recipient: string, answers: readonly ProtocolAnswer[]): Promise<void> {
  expect(answers.filter((answer) => answer.code === "ok" && !isReplayed(answer))).toHaveLength(1);
  const others = answers.filter((answer) => answer.code !== "ok" || isReplayed(answer));
  expect(others).toHaveLength(99);
  for (const answer of others) {
    expect(["ok", "idempotency_in_progress"]).toContain(answer.code);
  }
  const ids = new Set(answers.flatMap(({ code, body }) => (code === "ok" ? [body.verification_id] : [])));
  const started = await startedFor(recipient);
  expect(started).toHaveLength(1);
  expect([...ids]).toEqual(started);
  await app.messageTo(recipient);
  const found = await app.rest("GET", `/verify/${started[0]}`, { key });
  expect(found.body.deliveries).toHaveLength(1);
  expect((await inbox(app)).filter((message) => message.recipient === recipient)).toHaveLength(1);
}

describe.each(protocolClients)("over $name", (client: ProtocolClient) => {
  const call = (rpc: RpcName, input: Input, options: ProtocolCall) => client.call(app, rpc, input, options);
  const start = (recipient: string, options: ProtocolCall) =>
    call("StartVerification", { channel: "email", recipient }, options);

  test("of a hundred identical starts at once one is carried out: one verification, one message", async () => {
    const recipient = `${fresh("hundred")}@example.com`;
    const options = withKey(fresh("hundred"));
    const answers = await Promise.all(Array.from({ length: 100 }, () => start(recipient, options)));
    await expectOneOfAHundred(recipient, answers);
  });

  test("the answer is replayed over every protocol, by every server", async () => {
    const recipient = `${fresh("everywhere")}@example.com`;
    const options = withKey(fresh("everywhere"));
    const first = await start(recipient, options);
    expect(first.code).toBe("ok");
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();
    for (const server of [app, other]) {
      for (const again of protocolClients) {
        const input = { channel: "email", recipient };
        const answer = await again.call(server, "StartVerification", input, options);
        expect(contentOf(answer)).toEqual(contentOf(first));
        expect(isReplayed(answer)).toBe(true);
      }
    }
    expect(await startedFor(recipient)).toEqual([first.body.verification_id]);
  });

  test("over REST a replay has the status of the first answer", async () => {
    const recipient = `${fresh("status")}@example.com`;
    const name = fresh("status");
    await start(recipient, withKey(name));
    const headers = { "Idempotency-Key": name };
    const again = await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient }, headers });
    expect(again.status).toBe(201);
  });

  test("bare or quoted, a key is the same", async () => {
    const recipient = `${fresh("quoted")}@example.com`;
    const name = `${fresh("quoted")} \\ "x"`;
    const first = await start(recipient, withKey(name));
    const again = await start(recipient, withKey(`"${name.replaceAll(/[\\"]/g, "\\$&")}"`));
    expect(contentOf(again)).toEqual(contentOf(first));
    expect(isReplayed(again)).toBe(true);
  });

  test("with another message or for another RPC a key is refused, and nothing happens", async () => {
    const [recipient, another] = [`${fresh("one")}@example.com`, `${fresh("another")}@example.com`];
    const options = withKey(fresh("reused"));
    const { body } = await start(recipient, options);
    for (const refused of [
      await start(another, options),
      await call("StartVerification", { channel: "email", recipient, brand: "Other" }, options),
      await call("CheckVerification", { verification_id: body.verification_id, code: "1" }, options),
    ]) {
      expect(contentOf(refused)).toMatchObject({
        code: "idempotency_key_reused",
        content: { message: "This Idempotency-Key was used for another request." },
      });
      expect(isReplayed(refused)).toBe(false);
    }
    expect(await startedFor(another)).toEqual([]);
    const { body: found } = await app.rest("GET", `/verify/${body.verification_id}`, { key });
    expect(found.attempts_left).toBe(5);
  });

  test("the entries of a map in another order are the same request; another value is not", async () => {
    const recipient = `${fresh("map")}@example.com`;
    const options = withKey(fresh("map"));
    const startWith = (metadata: Input) =>
      call("StartVerification", { channel: "email", recipient, metadata }, options);
    const first = await startWith({ order: "17", cart: "4", z: "0" });
    const again = await startWith({ z: "0", cart: "4", order: "17" });
    expect(contentOf(again)).toEqual(contentOf(first));
    expect(isReplayed(again)).toBe(true);
    expect((await startWith({ z: "0", cart: "5", order: "17" })).code).toBe("idempotency_key_reused");
  });

  describe("errors", () => {
    test("404 is replayed", async () => {
      const options = withKey(fresh("404"));
      const check = () =>
        call("CheckVerification", { verification_id: "vrf_0000000000000000000000", code: "1" }, options);
      const first = await check();
      expect(first.code).toBe("not_found");
      expect(isReplayed(first)).toBe(false);
      const again = await check();
      expect(contentOf(again)).toEqual(contentOf(first));
      expect(isReplayed(again)).toBe(true);
      expect(again.body.request_id).toBe(again.headers.get("X-Request-Id"));
      expect(again.body.request_id).not.toBe(first.body.request_id);
    });

    test("422 that the operation returns is replayed", async () => {
      const { session } = owner;
      const options = withKey(fresh("422"), { session });
      const create = () => call("CreateApiKey", { name: "late", expires_at: "2020-01-01T00:00:00Z" }, options);
      const first = await create();
      expect(contentOf(first)).toMatchObject({
        code: "validation_error",
        content: { fields: { expires_at: "must be in the future" } },
      });
      expect(isReplayed(first)).toBe(false);
      const again = await create();
      expect(contentOf(again)).toEqual(contentOf(first));
      expect(isReplayed(again)).toBe(true);
    });

    test("a request that fails validation does not use the key up", async () => {
      const recipient = `${fresh("corrected")}@example.com`;
      const options = withKey(fresh("corrected"));
      expect((await start("nobody", options)).code).toBe("validation_error");
      const corrected = await start(recipient, options);
      expect(corrected.code).toBe("ok");
      expect(isReplayed(corrected)).toBe(false);
    });

    test("401 is not kept: with the right key the same call is carried out", async () => {
      const recipient = `${fresh("401")}@example.com`;
      const name = fresh("401");
      expect((await start(recipient, withKey(name, { key: `${key}x` }))).code).toBe("invalid_api_key");
      const carriedOut = await start(recipient, withKey(name));
      expect(carriedOut.code).toBe("ok");
      expect(isReplayed(carriedOut)).toBe(false);
    });

    test("403 is not kept: once the key may, the same call is carried out", async () => {
      const recipient = `${fresh("403")}@example.com`;
      const narrow = await mint({ scopes: ["lookup"] });
      const options = withKey(fresh("403"), { key: narrow.key });
      expect((await start(recipient, options)).code).toBe("insufficient_scope");
      await app.rest("PATCH", `/api-keys/${narrow.id}`, { session: owner.session, body: { scopes: ["verify"] } });
      const carriedOut = await start(recipient, options);
      expect(carriedOut.code).toBe("ok");
      expect(isReplayed(carriedOut)).toBe(false);
    });

    test("a caller that is not allowed gets 401 or 403, and never a replay", async () => {
      const recipient = `${fresh("guarded")}@example.com`;
      const name = fresh("guarded");
      expect((await start(recipient, withKey(name))).code).toBe("ok");
      const narrow = await mint({ scopes: ["lookup"] });
      const revoked = await mint();
      await app.rest("DELETE", `/api-keys/${revoked.id}`, { session: owner.session });
      const elsewhere = await mint({ ip_allowlist: ["192.0.2.1"] });
      for (const [credential, code] of [
        [narrow.key, "insufficient_scope"],
        [revoked.key, "invalid_api_key"],
        [elsewhere.key, "ip_not_allowed"],
      ] as const) {
        const refused = await start(recipient, withKey(name, { key: credential }));
        expect(refused.code).toBe(code);
        expect(isReplayed(refused)).toBe(false);
        expect(refused.body.verification_id).toBeUndefined();
      }
    });

    test("two workspaces may use the same key: both calls are carried out", async () => {
      const recipient = `${fresh("workspaces")}@example.com`;
      const name = fresh("workspaces");
      const first = await start(recipient, withKey(name));
      const second = await start(recipient, withKey(name, { key: await app.mintKey() }));
      expect(second.code).toBe("ok");
      expect(isReplayed(second)).toBe(false);
      expect(second.body.verification_id).not.toBe(first.body.verification_id);
    });

    test("another API key of the workspace gets the replay", async () => {
      const recipient = `${fresh("keys")}@example.com`;
      const name = fresh("keys");
      const first = await start(recipient, withKey(name));
      const second = await start(recipient, withKey(name, { key: (await mint()).key }));
      expect(contentOf(second)).toEqual(contentOf(first));
      expect(isReplayed(second)).toBe(true);
    });
  });

  test("a replayed check does not cost an attempt, and approves once", async () => {
    const recipient = `${fresh("check")}@example.com`;
    const { body } = await start(recipient, { key });
    const { verification_id } = body;
    const code = await codeFor(recipient);
    const check = (submitted: string, options: ProtocolCall) =>
      call("CheckVerification", { verification_id, code: submitted }, options);
    const attemptsLeft = async () => (await call("GetVerification", { verification_id }, { key })).body.attempts_left;

    const wrong = withKey(fresh("wrong"));
    for (let time = 0; time < 10; time++) {
      const answer = await check(wrongCode(code), wrong);
      expect(answer.body).toEqual({ verification_id, status: "incorrect" });
      expect(isReplayed(answer)).toBe(time > 0);
    }
    expect(await attemptsLeft()).toBe(4);
    await check(wrongCode(code), withKey(fresh("wrong")));
    expect(await attemptsLeft()).toBe(3);

    const right = withKey(fresh("right"));
    for (let time = 0; time < 3; time++) {
      expect((await check(code, right)).body).toEqual({ verification_id, status: "approved" });
    }
    expect((await check(code, { key })).body.status).toBe("expired");
  });

  test("twenty parallel checks with one key cost one attempt", async () => {
    const recipient = `${fresh("checks")}@example.com`;
    const { verification_id } = (await start(recipient, { key })).body;
    const code = await codeFor(recipient);
    const options = withKey(fresh("checks"));
    await Promise.all(
      Array.from({ length: 20 }, () => call("CheckVerification", { verification_id, code: wrongCode(code) }, options)),
    );
    const { body } = await call("GetVerification", { verification_id }, { key });
    expect(body.attempts_left).toBe(4);
  });

  test("a created key is replayed with its secret, which the database and the log never hold in clear", async () => {
    const { session } = owner;
    const options = withKey(fresh("secret"), { session });
    const name = fresh("named");
    const first = await call("CreateApiKey", { name }, options);
    const created: string = first.body.key;
    expect(created).toMatch(/^pk_live_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}$/);
    const again = await call("CreateApiKey", { name }, options);
    expect(isReplayed(again)).toBe(true);
    expect(again.body).toEqual(first.body);
    expect((await call("LookupNumber", { number: "1" }, { key: again.body.key })).code).toBe("ok");
    const listed = await app.rest("GET", "/api-keys?page_size=100", { session });
    expect(listed.body.keys.filter((found: { name: string }) => found.name === name)).toHaveLength(1);

    const secret = created.slice(created.indexOf(".") + 1);
    expect(await tablesHolding(secret)).toEqual([]);
    expect(await tablesHolding(created.slice(0, created.indexOf(".")))).toEqual(
      expect.arrayContaining(["public.api_key", "public.api_key_secret"]),
    );
    expect(app.logLines.filter((line) => line.includes(secret))).toEqual([]);
  });

  test("a rotation is replayed: one new secret, however often it is asked for", async () => {
    const { session } = owner;
    const { id, key: before } = await mint();
    const options = withKey(fresh("rotate"), { session });
    const rotate = () => call("RotateApiKey", { id }, options);
    const [first, second, third] = [await rotate(), await rotate(), await rotate()];
    expect(first.code).toBe("ok");
    expect([isReplayed(first), isReplayed(second), isReplayed(third)]).toEqual([false, true, true]);
    expect(second.body).toEqual(first.body);
    expect(third.body).toEqual(first.body);
    expect((await call("LookupNumber", { number: "1" }, { key: third.body.key })).code).toBe("ok");
    expect((await call("LookupNumber", { number: "1" }, { key: before })).code).toBe("invalid_api_key");
    expect(await tablesHolding(first.body.key.slice(first.body.key.indexOf(".") + 1))).toEqual([]);
  });

  test("live mode, the sandbox and sessions may use the same key: each call is carried out", async () => {
    const recipient = `${fresh("realms")}@example.com`;
    const name = fresh("realms");
    const sandbox = await mint({ mode: "test" });
    const live = await start(recipient, withKey(name));
    const simulated = await start(recipient, withKey(name, { key: sandbox.key }));
    const created = await call("CreateApiKey", { name: "same" }, withKey(name, { session: owner.session }));
    for (const answer of [live, simulated, created]) {
      expect(answer.code).toBe("ok");
      expect(isReplayed(answer)).toBe(false);
    }
    expect(simulated.body.verification_id).not.toBe(live.body.verification_id);
  });

  test("signing in and out ignore the header: nothing is replayed, and nothing kept", async () => {
    const { email } = owner;
    const name = fresh("auth");
    const password = "correct horse battery";
    const options = withKey(name, {});
    const first = await call("SignIn", { email, password }, options);
    const second = await call("SignIn", { email, password }, options);
    const wrong = await call("SignIn", { email, password: "wrong horse battery" }, options);
    expect([first.code, second.code, wrong.code]).toEqual(["ok", "ok", "invalid_api_key"]);
    expect(isReplayed(second)).toBe(false);
    expect(second.body.access_token).not.toBe(first.body.access_token);
    expect(await query("SELECT FROM idempotency WHERE key = $1", [name])).toEqual([]);
  });

  test("reading ignores it too: the answer is the current state", async () => {
    const name = fresh("read");
    const { id } = await mint();
    const get = () => call("GetApiKey", { id }, withKey(name, { session: owner.session }));
    expect((await get()).body.revoked_at).toBeNull();
    await app.rest("DELETE", `/api-keys/${id}`, { session: owner.session });
    const again = await get();
    expect(again.body.revoked_at).not.toBeNull();
    expect(isReplayed(again)).toBe(false);
  });

  test.each([
    ["empty", ""],
    ["of 256 characters", "k".repeat(256)],
    ["with a quotation mark that is not closed", '"abc'],
    ["with something behind the quotation mark", '"abc"d'],
    ["with an unknown escape", '"a\\bc"'],
    ["quoted and empty", '""'],
    ["of other than ASCII characters", "caf\u00e9"],
    ["of 256 characters in quotation marks", `"${"k".repeat(256)}"`],
  ])("a header that is %s is refused, and nothing is carried out", async (_name, header) => {
    const recipient = `${fresh("malformed")}@example.com`;
    const { code, body } = await start(recipient, withKey(header));
    expect({ code, message: body.message }).toEqual({
      code: "invalid_request",
      message: "The Idempotency-Key header must be 1 to 255 printable ASCII characters, bare or as a quoted string.",
    });
    expect(await startedFor(recipient)).toEqual([]);
  });

  test("255 characters are accepted", async () => {
    for (const name of [fresh("").padEnd(255, "k"), `"${fresh("").padEnd(255, "k")}"`]) {
      const recipient = `${fresh("long")}@example.com`;
      expect((await start(recipient, withKey(name))).code).toBe("ok");
      expect(isReplayed(await start(recipient, withKey(name)))).toBe(true);
    }
  });
});

describe("a repeated header is refused, and nothing is carried out:", () => {
  const refusal = "The Idempotency-Key header was given more than once.";
  const rpcPath = "/byond.v1.VerifyService/StartVerification";
  let recipient: string;
  beforeEach(() => {
    recipient = `${fresh("twice")}@example.com`;
  });

  /** Sends a start with two headers, which `fetch` would join. */
  function sendHttp1(path: string, values: readonly string[], channel: string): Promise<unknown> {
    const headers = { "X-API-Key": key, "Content-Type": "application/json", "Idempotency-Key": [...values] };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const sent = requestHttp1(`${app.url}${path}`, { method: "POST", headers }, async (answer) => {
      const chunks = await Array.fromAsync(answer);
      resolve({ status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) });
    });
    sent.on("error", reject).end(JSON.stringify({ channel, recipient }));
    return promise;
  }

  test.each([
    ["different", ["one", "another"]],
    ["the same", ["one", "one"]],
    ["empty", ["", ""]],
    ["empty and not", ["", "one"]],
  ])("over REST, with values that are %s", async (_name, values) => {
    expect(await sendHttp1("/api/v1/verify/start", values, "email")).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_request", message: refusal } },
    });
    expect(await startedFor(recipient)).toEqual([]);
  });

  test("over Connect", async () => {
    expect(await sendHttp1(rpcPath, ["one", "another"], "CHANNEL_EMAIL")).toMatchObject({
      status: 400,
      body: { code: "invalid_argument", message: refusal },
    });
    expect(await startedFor(recipient)).toEqual([]);
  });

  test("over gRPC", async () => {
    const client = connect(app.url);
    const call = client.request({
      ":method": "POST",
      ":path": rpcPath,
      "content-type": "application/grpc",
      "x-api-key": key,
      "idempotency-key": ["one", "another"],
    });
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    call.on("response", (headers) => headers["grpc-status"] === undefined || resolve(headers));
    call.on("trailers", resolve);
    call.resume().end(Buffer.from([0, 0, 0, 0, 0]));
    expect(await promise).toMatchObject({ "grpc-status": "3", "grpc-message": encodeURIComponent(refusal) });
    client.close();
  });
});

test.each(["one ", " one", "\tone\t"])("over HTTP/2 the key %j is `one`, as it is over HTTP/1", async (value) => {
  const recipient = `${fresh("blanks")}@example.com`;
  const name = fresh("blanks");
  const { body } = await restClient.call(app, "StartVerification", { channel: "email", recipient }, withKey(name));
  const client = connect(app.url);
  const call = client.request({
    ":method": "POST",
    ":path": "/api/v1/verify/start",
    "content-type": "application/json",
    "x-api-key": key,
    "idempotency-key": value.replace("one", name),
  });
  call.end(JSON.stringify({ channel: "email", recipient }));
  const answer = Buffer.concat(await Array.fromAsync(call)).toString();
  client.close();
  expect(JSON.parse(answer)).toMatchObject({ verification_id: body.verification_id });
  expect(await startedFor(recipient)).toHaveLength(1);
});

test("a hundred at once over every protocol and on two servers: one verification, one message", async () => {
  const recipient = `${fresh("all-protocols")}@example.com`;
  const options = withKey(fresh("all-protocols"));
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => {
      const client = protocolClients[index % protocolClients.length] ?? restClient;
      const server = index % 8 < 4 ? app : other;
      return client.call(server, "StartVerification", { channel: "email", recipient }, options);
    }),
  );
  expect(answers.filter((answer) => answer.code === "ok" && !isReplayed(answer))).toHaveLength(1);
  expect(answers.filter(({ code }) => code !== "ok" && code !== "idempotency_in_progress")).toEqual([]);
  expect(await startedFor(recipient)).toHaveLength(1);
  const [id] = await startedFor(recipient);
  const { body } = await app.rest("GET", `/verify/${id}`, { key });
  expect(body.deliveries).toHaveLength(1);
  await Promise.any([app.messageTo(recipient), other.messageTo(recipient)]);
  const sent = [...(await inbox(app)), ...(await inbox(other))].filter((message) => message.recipient === recipient);
  expect(sent).toHaveLength(1);
});

test("the search of the tables finds what is planted: as text, in a list, in JSON, as bytes and encoded in them", async () => {
  const text = fresh("planted");
  const planted = [
    ["text", text],
    ["text[]", `{a,${text}}`],
    ["jsonb", JSON.stringify({ a: [text] })],
    ["bytea", `\\x${Buffer.from(`.${text}.`).toString("hex")}`],
    ["bytea", `\\x${Buffer.from(Buffer.from(`a${text}..`).toString("base64")).toString("hex")}`],
    ["text", Buffer.from(`ab${text}.`).toString("base64")],
  ] as const;
  const names: string[] = [];
  for (const [index, [type, value]] of planted.entries()) {
    names.push(`public.planted_${index}`);
    await query(`CREATE TABLE planted_${index} (value ${type})`);
    await query(`INSERT INTO planted_${index} VALUES ($1)`, [value]);
  }
  expect([...(await tablesHolding(text))].sort()).toEqual(names);
  for (const name of names) {
    await query(`DROP TABLE ${name}`);
  }
});

describe("in time", () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await startTestApp();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test.each(protocolClients)(
    "$name: 429 is not kept: when there is a token again, the same call is carried out",
    async (client) => {
      const credential = await server.mintKey();
      const start = (name: string) =>
        client.call(
          server,
          "StartVerification",
          { channel: "email", recipient: "often@example.com" },
          withKey(name, { key: credential }),
        );
      for (const name of ["1", "2", "3"]) {
        expect((await start(name)).code).toBe("ok");
      }
      for (let time = 0; time < 2; time++) {
        const refused = await start("4");
        expect(refused.code).toBe("rate_limited");
        expect(isReplayed(refused)).toBe(false);
        expect(Number(refused.headers.get("Retry-After"))).toBe(refused.body.retry_after);
      }
      await server.time.advance({ seconds: 61 });
      const carriedOut = await start("4");
      expect(carriedOut.code).toBe("ok");
      expect(isReplayed(carriedOut)).toBe(false);
      expect(isReplayed(await start("4"))).toBe(true);
    },
  );

  test("a key is kept for 24 hours, over every protocol; then it is a new one", async () => {
    const credential = await server.mintKey();
    const options = withKey("a day", { key: credential });
    const start = (client: ProtocolClient, recipient = "daily@example.com") =>
      client.call(server, "StartVerification", { channel: "email", recipient }, options);
    const first = await start(restClient);
    await server.time.advance({ seconds: 24 * 3_600 - 60 });
    for (const client of protocolClients) {
      const again = await start(client);
      expect(isReplayed(again)).toBe(true);
      expect(again.body.verification_id).toBe(first.body.verification_id);
    }
    expect((await start(restClient, "another@example.com")).code).toBe("idempotency_key_reused");
    await server.time.advance({ seconds: 61 });
    const next = await start(grpcClient);
    expect(next.code).toBe("ok");
    expect(isReplayed(next)).toBe(false);
    expect(next.body.verification_id).not.toBe(first.body.verification_id);
    expect(isReplayed(await start(restClient))).toBe(true);
    await server.time.advance({ seconds: 24 * 3_600 + 1 });
    expect((await start(restClient, "another@example.com")).code).toBe("ok");
  });
});
