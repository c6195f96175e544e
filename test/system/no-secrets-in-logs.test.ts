import { createHmac, randomBytes, randomInt } from "node:crypto";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { SmtpSink, smtpError } from "../capabilities/channels/smtp-sink.ts";
import type { RestAnswer, RestCall } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { type CollectedSpan, TraceCollector } from "../support/trace-collector.ts";
import { codeIn, until } from "./load.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";
import { WhatsappFake } from "./whatsapp-fake.ts";

/** Long enough that no other number of a log looks like one by chance. */
const codeLength = 10;

test("no log, PostgreSQL's included, no error and no trace contains a code, recipient, key, password, token or secret", {
  timeout: 120_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const secrets = new Secrets();
  const postgres = resources.use(
    await StoppablePostgres.start({
      // Everything that an administrator may turn on: each statement with all of its values, failed ones too.
      log_statement: "all",
      log_duration: "on",
      log_min_error_statement: "error",
      log_error_verbosity: "verbose",
      log_parameter_max_length_on_error: "-1",
    }),
  );
  const mailPassword = secrets.note("SMTP password", random());
  const sink = await SmtpSink.open({
    allowInsecureAuth: true,
    onAuth: (auth, _session, callback) => callback(null, auth.password === mailPassword ? { user: "mailer" } : {}),
  });
  resources.defer(() => sink.close());
  const whatsapp = resources.use(await WhatsappFake.open());
  const appSecret = secrets.note("WhatsApp app secret", random());
  const metricsToken = secrets.note("metrics token", random());
  const collector = resources.use(await TraceCollector.open());
  const server = resources.use(
    await ServerProcess.start({
      databaseUrl: postgres.url,
      environment: {
        BYOND_SECRET: secrets.note("master secret", random()),
        SMTP_URL: `smtp://mailer:${mailPassword}@127.0.0.1:${sink.port}?ignoreTLS=true`,
        MAIL_FROM: "Acme <no-reply@acme.example>",
        WHATSAPP_TOKEN: secrets.note("WhatsApp token", random()),
        WHATSAPP_PHONE_NUMBER_ID: "106540352242922",
        WHATSAPP_TEMPLATE: "login_code",
        WHATSAPP_API_URL: whatsapp.url,
        WHATSAPP_APP_SECRET: appSecret,
        WHATSAPP_VERIFY_TOKEN: secrets.note("WhatsApp verify token", random()),
        METRICS_TOKEN: metricsToken,
        // Nobody listens there.
        SMS_URL: [
          `http://127.0.0.1:9/messages?token=${secrets.note("adapter's token", random())}`,
          `twilio://AC${"0".repeat(32)}:${secrets.note("Twilio token", random())}@?from=ACME&api_url=http%3A%2F%2F127.0.0.1:9`,
        ].join(" "),
        PROVIDER_SECRET: secrets.note("provider secret", random()),
        ...collector.environment({
          OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.note("collector's token", random())}`,
        }),
      },
    }),
  );
  const errors: string[] = [];
  const call = async (method: string, path: string, options: RestCall = {}): Promise<RestAnswer> => {
    const answer = await server.rest(method, path, options);
    if (answer.status >= 400) {
      errors.push(`${JSON.stringify([...answer.headers])} ${JSON.stringify(answer.body)}`);
    }
    return answer;
  };
  const mailTo = async (recipient: string) => {
    const find = () => sink.mails.find(({ to }) => to.includes(recipient));
    await until("the mail arrives", 30_000, () => find() !== undefined);
    return find()?.source ?? "";
  };

  // Accounts and sessions.
  const email = `owner-${random(6).toLowerCase()}@accounts.example`;
  const password = secrets.note("password", random());
  const noteTokens = ({ body }: RestAnswer) => {
    secrets.note("session token", body.access_token);
    secrets.note("refresh token", body.refresh_token);
    return { session: String(body.access_token), refreshToken: String(body.refresh_token) };
  };
  const signedUp = noteTokens(await call("POST", "/auth/sign-up", { body: { email, password, name: "Acme" } }));
  await call("POST", "/auth/sign-up", { body: { email, password, name: "Acme" } });
  await call("POST", "/auth/sign-up", {
    body: { email, password: secrets.note("short password", random(6)), name: "Acme" },
  });
  await call("POST", "/auth/sign-in", { body: { email, password: secrets.note("wrong password", random()) } });
  const signedIn = noteTokens(await call("POST", "/auth/sign-in", { body: { email, password } }));
  const refreshed = noteTokens(await call("POST", "/auth/refresh", { body: { refresh_token: signedIn.refreshToken } }));
  const repeated = noteTokens(await call("POST", "/auth/refresh", { body: { refresh_token: signedIn.refreshToken } }));
  const next = noteTokens(await call("POST", "/auth/refresh", { body: { refresh_token: repeated.refreshToken } }));
  expect((await call("POST", "/auth/refresh", { body: { refresh_token: signedIn.refreshToken } })).status).toBe(401);
  await call("POST", "/auth/sign-out", { body: { refresh_token: next.refreshToken } });
  expect((await call("GET", "/auth/me", { session: refreshed.session })).status).toBe(401);
  const newPassword = secrets.note("new password", random());
  const change = {
    body: { current_password: password, new_password: newPassword },
    headers: { "Idempotency-Key": "change-1" },
  };
  const { session, refreshToken } = noteTokens(
    await call("POST", "/auth/change-password", { session: signedUp.session, ...change }),
  );
  const replayed = await call("POST", "/auth/change-password", { session, ...change });
  expect(noteTokens(replayed)).toEqual({ session, refreshToken });
  await call("POST", "/auth/verify-email", { session });
  const emailCode = secrets.note("code for an account", codeIn(await mailTo(email), 8));
  await call("POST", "/auth/verify-email/check", { session, body: { code: secrets.note("wrong code", digits()) } });
  expect((await call("POST", "/auth/verify-email/check", { session, body: { code: emailCode } })).body.verified).toBe(
    true,
  );
  await call("GET", "/auth/me", { session: `${session}x` });

  // A forgotten password.
  const forgetful = `owner-${random(6).toLowerCase()}@accounts.example`;
  const forgotten = secrets.note("forgotten password", random());
  noteTokens(await call("POST", "/auth/sign-up", { body: { email: forgetful, password: forgotten, name: "Acme" } }));
  const reset = await call("POST", "/auth/reset-password", { body: { email: forgetful } });
  const confirmation = {
    reset_id: reset.body.reset_id,
    code: secrets.note("code of a reset", codeIn(await mailTo(forgetful), 8)),
    new_password: secrets.note("password of a reset", random()),
  };
  expect((await call("POST", "/auth/reset-password/confirm", { body: confirmation })).body.status).toBe("approved");

  // Keys.
  const noteKey = ({ body }: RestAnswer) => {
    secrets.note("secret of a key", String(body.key).split(".")[1]);
    return { id: String(body.id), key: String(body.key) };
  };
  const idempotent = { session, body: { name: "backend" }, headers: { "Idempotency-Key": "mint-1" } };
  const minted = noteKey(await call("POST", "/api-keys", idempotent));
  expect((await call("POST", "/api-keys", idempotent)).body.key).toBe(minted.key);
  const rotated = noteKey(await call("POST", `/api-keys/${minted.id}/rotate`, { session, body: {} }));
  const { key } = rotated;
  const signing = noteKey(
    await call("POST", "/api-keys", { session, body: { name: "signing", require_signature: true } }),
  );
  const wrongKey = `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
  secrets.note("secret of a forged key", wrongKey.split(".")[1]);
  expect((await call("GET", "/lookup?number=1", { key: wrongKey })).status).toBe(401);
  // What people do by mistake: the key as another credential, twice, or in the place of its id.
  await call("GET", "/auth/me", { headers: { Authorization: `Basic ${key}` } });
  await call("GET", "/auth/me", { key, session });
  for (const [method, path] of [
    ["GET", `/api-keys/${key}`],
    ["DELETE", `/api-keys/${key}`],
    ["GET", `/verify/${key}`],
    ["GET", `/nowhere/${key}?api_key=${key}`],
    ["GET", `/lookup?number=1&api_key=${key}`],
  ] as const) {
    await call(method, path, { session });
    await call(method, path, { key });
  }

  // Verifications.
  const person = () => secrets.noteMail("recipient", `ada.${random(8)}@people.example`);
  const phone = () => secrets.note("number", `+65${randomInt(81_000_000, 89_000_000)}`, (text) => [text.slice(1)]);
  const start = (channel: string, recipient: string, more: object = {}) =>
    call("POST", "/verify/start", { key, body: { channel, recipient, code_length: codeLength, ...more } });
  const check = (verificationId: string, code: string, more: object = {}) =>
    call("POST", "/verify/check", { key, body: { verification_id: verificationId, code, ...more } });
  const payee = () => secrets.note("payee", `Payee ${random()}`);

  const ada = person();
  const payment = { payee: payee(), amount: { value: "249.90", currency: "EUR" } };
  const { verification_id: id } = (await start("email", ada, { end_user_ip: "192.0.2.7", ...payment })).body;
  const code = secrets.note("code", codeIn(await mailTo(ada), codeLength));
  await check(id, secrets.note("wrong code", digits()));
  await check(id, code, { ...payment, payee: payee() });
  await check(id, code, { ...payment, payee: `${payee()} at https://example.com` });
  await call("POST", `/verify/${id}/resend`, { key, body: {} });
  await call("POST", `/verify/${id}/resend`, { key, body: { recipient: secrets.noteMail("recipient", `x${ada}`) } });
  expect((await check(id, code, payment)).body.status).toBe("approved");
  await call("GET", `/verifications?recipient=${encodeURIComponent(ada)}`, { key });
  expect((await call("POST", "/verifications/erase", { key, body: { recipient: ada } })).body.erased).toBe(1);

  const texted = phone();
  const { verification_id: textedId } = (await start("whatsapp", texted)).body;
  await until("the message arrives", 30_000, () => whatsapp.taken.has(texted));
  expect((await check(textedId, secrets.note("code", whatsapp.taken.get(texted)?.[0]))).body.status).toBe("approved");
  // A report is matched with an attempt that was recorded.
  await until("it is recorded", 30_000, async () => {
    const { body } = await call("GET", `/verify/${textedId}`, { key });
    return body.deliveries[0].status === "sent";
  });
  const status = { id: whatsapp.ids.get(texted), recipient_id: texted.slice(1), status: "read", timestamp: now() };
  const report = JSON.stringify({ entry: [{ changes: [{ value: { statuses: [status] } }] }] });
  await fetch(`${server.url}/webhooks/whatsapp`, {
    method: "POST",
    headers: { "X-Hub-Signature-256": `sha256=${createHmac("sha256", appSecret).update(report).digest("hex")}` },
    body: report,
  });
  const read = await call("GET", `/verify/${textedId}`, { key });
  expect(read.body.deliveries[0].status).toBe("read");
  expect(secrets.foundIn(JSON.stringify(read.body))).toEqual([]);
  await call("GET", `/lookup?number=${encodeURIComponent(phone())}`, { key });
  await call("GET", `/lookup?number=${encodeURIComponent(phone())}&country=Singapore`, { key });

  const rpc = await fetch(`${server.url}/byond.v1.VerifyService/StartVerification`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": key },
    body: JSON.stringify({ channel: "CHANNEL_EMAIL", recipient: person(), codeLength }),
  });
  expect(rpc.status).toBe(200);

  // Providers that refuse, and repeat in their answer what they were given.
  sink.behaviour.onRecipient = (address) => {
    if (address.startsWith("refused")) {
      throw smtpError(550, `5.1.1 <${address}> unknown`);
    }
  };
  const refused = secrets.noteMail("recipient", `refused.${random(8)}@people.example`);
  const trouble = phone();
  whatsapp.troubles.set(trouble, [
    { status: 400, body: JSON.stringify({ error: { code: 131026, message: trouble } }) },
  ]);
  const unheard = phone();
  const failing = await Promise.all([start("email", refused), start("whatsapp", trouble), start("sms", unheard)]);
  await until("they have failed", 30_000, async () => {
    const views = await Promise.all(failing.map(({ body }) => call("GET", `/verify/${body.verification_id}`, { key })));
    return views.every(({ body }) => body.deliveries[0].attempts > 0);
  });

  // Requests that cannot be read, or fail.
  const cut = (text: string) => text.slice(0, -1);
  for (const [type, path] of [
    ["application/json", "/api/v1/verify/start"],
    ["application/json", "/byond.v1.VerifyService/StartVerification"],
    ["application/grpc-web+json", "/byond.v1.VerifyService/StartVerification"],
    ["text/plain", "/api/v1/verify/start"],
  ] as const) {
    for (const body of [cut(JSON.stringify({ channel: "email", recipient: person() })), `"${person()}"`, person()]) {
      const answer = await fetch(server.url + path, {
        method: "POST",
        headers: { "Content-Type": type, "X-API-Key": key },
        body,
      });
      errors.push(`${path} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    }
  }
  await start("email", `${person()} and more`);
  await start("whatsapp", `${phone()} extra`);
  await start(person(), phone(), { locale: person(), metadata: { note: "\0" }, ttl_seconds: phone() });
  await check(id, "");
  const body = JSON.stringify({ channel: "email", recipient: person() });
  const timestamp = String(Date.now());
  const signature = createHmac("sha256", signing.key).update(`${timestamp}.${body}`).digest("hex");
  for (const given of [signature, signature.replace(/^./, "g"), signature.split("").reverse().join("")]) {
    const answer = await fetch(`${server.url}/api/v1/verify/start`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-API-Key": signing.key,
        "Byond-Signature": `t=${timestamp},v1=${given}`,
      },
      body,
    });
    errors.push(await answer.text());
  }
  for (const head of [
    `GET /api/v1/lookup HTTP/1.1\r\nHost: [\r\nX-API-Key: ${key}\r\n\r\n`,
    `GET /api/v1/${key} HTTP/1.1\r\nHost: a b\r\n\r\n`,
    `GET /api/v1/lookup HTTP/1.1\r\nHost: a\r\nX-API-Key ${key}\r\n\r\n`,
    `GET /api/v1/lookup HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${session.repeat(200)}\r\n\r\n`,
    `${key}\r\n\r\n`,
  ]) {
    errors.push(await exchange(server.url, head));
  }
  await postgres.query("ALTER TABLE verification RENAME COLUMN brand TO sender");
  expect((await start("email", person())).status).toBe(500);
  await call("GET", `/verifications?recipient=${encodeURIComponent(person())}`, { key });
  await postgres.query("ALTER TABLE verification RENAME COLUMN sender TO brand");
  await postgres.query("ALTER TABLE account RENAME COLUMN name TO called");
  const failingUp = { email: `x${email}`, password: secrets.note("password", random()), name: "Acme" };
  await call("POST", "/auth/sign-up", { body: failingUp });
  await postgres.query("ALTER TABLE account RENAME COLUMN called TO name");
  await postgres.crash();
  expect((await start("email", person())).status).toBe(503);
  await call("POST", "/auth/sign-in", { body: { email, password: newPassword } });
  await postgres.startAgain();
  await until("it is ready again", 30_000, async () => (await server.readiness()) === 200);

  // The end of everything.
  noteTokens(await call("POST", "/auth/sign-in", { body: { email, password: newPassword } }));
  await call("POST", "/auth/sign-out", { body: { refresh_token: refreshToken } });
  const last = noteTokens(await call("POST", "/auth/sign-in", { body: { email, password: newPassword } }));
  await call("DELETE", `/api-keys/${minted.id}?reason=test`, { session: last.session });
  await call("POST", "/auth/delete-account", { session: last.session, body: { password: newPassword } });
  const metrics = await (
    await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${metricsToken}` } })
  ).text();
  expect(metrics).toContain("byond_");
  expect(await server.stop()).toEqual({ code: 0, signal: null });

  const canary = random();
  await postgres.query("SELECT $1::text", [canary]);
  const postgresLog = await postgres.readLog();
  expect(postgresLog).toContain(canary);
  expect(postgresLog).toContain("Acme");
  const requests = server.logLines.filter(({ event }) => event === "request");
  expect(requests.length).toBeGreaterThan(60);
  expect(errors.length).toBeGreaterThan(40);
  console.log(
    `secrecy: ${secrets.size} secrets looked for in ${requests.length} lines of requests, ${errors.length} errors, ` +
      `${postgresLog.length} characters of PostgreSQL's log`,
  );
  expect(secrets.foundIn(server.written)).toEqual([]);
  expect(secrets.foundIn(errors.join("\n"))).toEqual([]);
  expect(secrets.foundIn(metrics)).toEqual([]);
  expect(secrets.foundIn(postgresLog)).toEqual([]);
  const traces = collector.bodies.join("\n");
  expect(collector.spans.length).toBeGreaterThan(500);
  expect(secrets.foundIn(traces)).toEqual([]);
  expectFewWords(collector.spans);
  // Addresses of accounts are stored as they are, since their owners sign in with them; the log has no use for them.
  const account = new Secrets();
  account.noteMail("address of an account", email);
  expect(account.foundIn(server.written)).toEqual([]);
  expect(account.foundIn(errors.join("\n"))).toEqual([]);
  expect(account.foundIn(traces)).toEqual([]);
});

/** Attributes that tell one request or message from another. All others have few values, and so have names. */
const idsOfSpans = ["byond.request_id", "messaging.message.id"];
/** Attributes with what the operator has set. */
const settingsInSpans = ["db.namespace", "server.address", "server.port"];

function expectFewWords(spans: readonly CollectedSpan[]): void {
  const valuesOf = new Map<string, Set<unknown>>([["name", new Set(spans.map(({ name }) => name))]]);
  for (const [name, value] of spans.flatMap(({ attributes }) => Object.entries(attributes))) {
    valuesOf.set(name, (valuesOf.get(name) ?? new Set()).add(value));
  }
  for (const id of idsOfSpans) {
    expect(valuesOf.get(id)?.size).toBeGreaterThan(1);
    valuesOf.delete(id);
  }
  for (const setting of settingsInSpans) {
    expect(valuesOf.get(setting)?.size).toBe(1);
    valuesOf.delete(setting);
  }
  for (const [name, values] of valuesOf) {
    expect
      .soft(
        [...values].filter((value) => typeof value === "string" && !/^[\w ./:{}*-]{1,80}$/.test(value)),
        name,
      )
      .toEqual([]);
    // An id, or what somebody took for one.
    expect
      .soft(
        [...values].filter((value) => /[a-z]{2,3}_[0-9A-Za-z]{22}|\d{6}/.test(String(value))),
        name,
      )
      .toEqual([]);
    expect.soft(values.size, name).toBeLessThan(200);
  }
}

/** What must be found nowhere, in whatever form it may have been written down. */
class Secrets {
  readonly #names = new Map<string, string>();

  get size(): number {
    return this.#names.size;
  }

  /** Remembers a secret and returns it. Throws if there is none: nothing would be looked for then. */
  note(name: string, secret: string | undefined, otherForms: (secret: string) => readonly string[] = () => []): string {
    if (secret === undefined || secret.length < 6) {
      throw new Error(`there is no ${name}`);
    }
    for (const form of [secret, ...otherForms(secret)]) {
      this.#names.set(form, name);
    }
    return secret;
  }

  /** A mail address, which may have been split at the `@`. */
  noteMail(name: string, address: string): string {
    return this.note(name, address, (text) => [text.split("@")[0] ?? text]);
  }

  /** Where in a text any of them stands: with what is around it, so that it can be told how it came there. */
  foundIn(text: string): string[] {
    const lower = text.toLowerCase();
    return [...this.#names].flatMap(([secret, name]) =>
      formsOf(secret).flatMap((form) => {
        // A few digits are part of many a number: as a code they stand alone.
        const at = /^\d{4,8}$/.test(form)
          ? text.search(new RegExp(`(?<![\\w.])${form}(?![\\w.])`))
          : lower.indexOf(form.toLowerCase());
        return at === -1 ? [] : [`${name}: ${text.slice(Math.max(0, at - 200), at + form.length + 40)}`];
      }),
    );
  }
}

/** A text as it is, escaped for a URL, in hexadecimal, and in Base64 wherever in a longer text it stands. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) => {
    const longer = Buffer.concat([Buffer.alloc(offset), bytes]);
    // The characters at both ends depend on what stands beside it.
    const start = offset === 0 ? 0 : offset + 1;
    return [longer.toString("base64").replace(/=+$/, ""), longer.toString("base64url")].map((text) =>
      text.slice(start, -2),
    );
  });
  return [...new Set([secret, encodeURIComponent(secret), bytes.toString("hex"), ...base64])];
}

function random(length = 40): string {
  return randomBytes(length).toString("base64url").replaceAll(/[-_]/g, "x").slice(0, length);
}

/** Unix seconds. */
function now(): string {
  return String(Math.floor(Date.now() / 1_000));
}

function digits(): string {
  return String(randomInt(10 ** 9, 10 ** 10));
}

/** Sends bytes as they are, and returns what comes back. */
function exchange(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.end(request));
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      answer += text;
    });
    // A refusal may reset the connection: what was answered before is what counts.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
}
