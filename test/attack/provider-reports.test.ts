/**
 * Reports of providers come from the network: whatever somebody sends who does not have the secret of a page moves no delivery, is never
 * answered as a fault of the server, and keeps no true report out. Neither does a true one that is sent again, to any page.
 */
import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { signBody } from "../../src/crypto/sign-body.ts";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { useTestApp } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

const provider = await HttpFake.open();
afterAll(() => provider.close());
const port = await freePort();
const publicUrl = `http://127.0.0.1:${port}`;
const secret = "what the providers and the server share";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const vonageKey = Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })).toString("base64url");
const sid = `AC${"0123456789abcdef".repeat(2)}`;
const api = `api_url=${encodeURIComponent(provider.url)}`;
const { delivery } = parseConfig({
  SMS_URL: [
    `${provider.url}/messages`,
    `twilio://${sid}:${"f".repeat(32)}@?from=+15550100&${api}`,
    `plivo://MAXXXXXXXXXXXXXXXXXX:token@?from=+15550100&${api}`,
    `vonage://78d335fa-323d-4114-9c3d-d6f0d48968cf:${vonageKey}@?from=ACME&signature_secret=${encodeURIComponent(secret)}&${api}`,
  ].join(" "),
  PROVIDER_SECRET: secret,
});
const app = useTestApp({ delivery, port, publicUrl });

type Fields = Readonly<Record<string, string>>;
interface Report {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers: Fields;
}

const formOf = (fields: Fields) => new URLSearchParams(fields).toString();
const base64Url = (text: string | Buffer) => Buffer.from(text).toString("base64url");
const jwt = (claims: object, key: string, header: object = { alg: "HS256" }) => {
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
};
const pairs = (fields: Fields) =>
  Object.entries(fields)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flat();

/** How each page's reports of a delivery are written, and signed with a secret. */
const pages: Readonly<Record<string, { readonly secret: string; write(id: string, key: string): Report }>> = {
  adapter: {
    secret,
    write(id, key) {
      const body = JSON.stringify({ message_id: id, status: "delivered" });
      return { body, headers: { "byond-signature": signBody([key], body, app.time.now()) } };
    },
  },
  twilio: {
    secret: "f".repeat(32),
    write(id, key) {
      const form = { MessageSid: id, MessageStatus: "delivered" };
      const signed = [`${publicUrl}/webhooks/sms/twilio`, ...pairs(form)].join("");
      return {
        body: formOf(form),
        headers: { "x-twilio-signature": createHmac("sha1", key).update(signed).digest("base64") },
      };
    },
  },
  plivo: {
    secret: "token",
    write(id, key) {
      const form = { MessageUUID: id, Status: "delivered" };
      const signed = `${publicUrl}/webhooks/sms/plivo?${pairs(form).join("")}.nonce`;
      return {
        body: formOf(form),
        headers: {
          "x-plivo-signature-v3": createHmac("sha256", key).update(signed).digest("base64"),
          "x-plivo-signature-v3-nonce": "nonce",
        },
      };
    },
  },
  vonage: {
    secret,
    write(id, key) {
      const timestamp = app.time.now().toISOString();
      const body = JSON.stringify({ message_uuid: id, status: "delivered", timestamp, channel: "sms" });
      const claims = {
        iat: Math.floor(app.time.now().getTime() / 1_000),
        payload_hash: createHash("sha256").update(body).digest("hex"),
      };
      return { body, headers: { authorization: `Bearer ${jwt(claims, key)}` } };
    },
  },
};
const names = Object.keys(pages);

async function send(name: string, { body, headers }: Report, query = ""): Promise<number> {
  const answer = await fetch(`${app.url}/webhooks/sms/${name}${query}`, { method: "POST", body, headers });
  await answer.arrayBuffer();
  return answer.status;
}

let key: string;
beforeAll(async () => {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  key = (await app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key;
});

let messages = 0;
/** Sends a message over the adapter, the first of the providers. */
async function sent() {
  messages += 1;
  const id = `SM${messages}`;
  provider.answer = { status: 202, body: JSON.stringify({ message_id: id, reports_delivery: true }) };
  const recipient = `+65912346${String(messages).padStart(2, "0")}`;
  const { body } = await app.rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } });
  const read = async () => (await app.rest("GET", `/verify/${body.verification_id}`, { key })).body.deliveries[0];
  await expect.poll(async () => (await read())?.status).toBe("sent");
  return { id, status: async () => (await read()).status };
}

describe.each(names)("at the page of %s", (name) => {
  const page = () => pages[name] ?? expect.unreachable();

  test("what is forged is refused", async () => {
    const { id, status } = await sent();
    const { secret: known, write } = page();
    const real = write(id, known);
    const withHeaders = (change: (value: string) => string): Report => ({
      body: real.body,
      headers: Object.fromEntries(Object.entries(real.headers).map(([header, value]) => [header, change(value)])),
    });
    const later = (report: Report, body: Report["body"]): Report => ({ ...report, body });
    const forged: Readonly<Record<string, Report>> = {
      "without a signature": withHeaders(() => ""),
      "with an empty secret": write(id, "\0"),
      "with another secret": write(id, `${known}x`),
      "of another message": later(write("SM0", known), real.body),
      "with a byte more": later(real, `${real.body}x`),
      "with a field more": later(real, `${real.body}&a=b`),
      "with a signature that is cut": withHeaders((value) => value.slice(0, -4)),
      "with a signature twice": withHeaders((value) => `${value}, ${value}x`.slice(0, -3)),
      "with a long signature": withHeaders((value) => value + "a".repeat(5_000)),
      "with a signature of other letters": withHeaders((value) => value.replaceAll(/[a-z]/gi, "\u00e9")),
      "in another form": later(real, gzipSync(real.body)),
      "with U+0000": later(real, `\0${real.body}`),
      "with what is no text": later(real, Buffer.from([0xff, 0xfe, 0x00, 0xd8])),
      "with nothing in it": later(real, ""),
      "with many fields": later(real, "a=b&".repeat(8_000)),
      "with deep lists": later(real, "[".repeat(30_000)),
    };
    const answers = await Promise.all(
      Object.entries(forged).map(async ([what, report]) => [what, await send(name, report)]),
    );
    expect(answers.filter(([, code]) => code !== 401)).toEqual([]);
    expect(await status()).toBe("sent");
  });

  test("a true report of another provider's message is none of this message", async () => {
    const { id, status } = await sent();
    const { secret: known, write } = page();
    const code = await send(name, write(id, known));
    expect(code).toBe(name === "adapter" ? 200 : 503);
    expect(await status()).toBe(name === "adapter" ? "delivered" : "sent");
  });

  test("a true report of another page is refused here", async () => {
    const { id, status } = await sent();
    for (const other of names.filter((each) => each !== name)) {
      const { secret: known, write } = pages[other] ?? expect.unreachable();
      expect(await send(name, write(id, known)), other).toBe(401);
    }
    expect(await status()).toBe("sent");
  });

  test("reports that never end keep no true one out", async () => {
    const { secret: known, write } = page();
    const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            const head = `POST /webhooks/sms/${name} HTTP/1.1\r\nHost: a\r\nContent-Length: 32000\r\n\r\n`;
            socket.write(head + "a".repeat(30_000), () => resolve());
          }),
      ),
    );
    const { id, status } = await sent();
    expect(await send("adapter", pages.adapter?.write(id, secret) ?? expect.unreachable())).toBe(200);
    expect(await status()).toBe("delivered");
    expect(await send(name, write("SM-unknown", known))).toBe(503);
    sockets.forEach((socket) => void socket.destroy());
  });
});

test("an unsigned token, and one of another algorithm, sign nothing", async () => {
  const { id, status } = await sent();
  const report = pages.vonage?.write(id, secret) ?? expect.unreachable();
  const claims = {
    iat: Math.floor(app.time.now().getTime() / 1_000),
    payload_hash: createHash("sha256").update(report.body).digest("hex"),
  };
  for (const header of [
    { alg: "none" },
    { alg: "HS512" },
    { alg: "RS256" },
    { alg: "HS256", crit: ["exp"] },
    { alg: "HS256", b64: false, crit: ["b64"] },
    {},
  ]) {
    const token = jwt(claims, secret, header);
    for (const authorization of [`Bearer ${token}`, `Bearer ${token.slice(0, token.lastIndexOf(".") + 1)}`]) {
      expect(await send("vonage", { body: report.body, headers: { authorization } }), JSON.stringify(header)).toBe(401);
    }
  }
  expect(await status()).toBe("sent");
});
