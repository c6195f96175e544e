/** The reference's own `curl` lines, pasted into a shell. */
import { execFile, spawnSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

const app = useTestApp();
let key: string;
let session: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "curl" } });
  key = body.key;
});

/** Runs a line in a shell as the reference has it, with its placeholders filled in; reads status and JSON. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
function paste(line: string): Promise<{ readonly status: number; readonly body: any }> {
  const script = line.replaceAll("__BASE__", `${app.url}/api/v1`).replace(/^curl /, "curl -sS -w '\\n%{http_code}' ");
  const env = { ...process.env, BYONDAPI_KEY: key, JWT: session };
  return new Promise((resolve, reject) => {
    execFile("sh", ["-c", script], { env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error !== null) {
        reject(new Error(`${error.message}\n${stderr}`));
        return;
      }
      const end = stdout.lastIndexOf("\n");
      const text = stdout.slice(0, end);
      resolve({ status: Number(stdout.slice(end + 1)), body: text === "" ? undefined : JSON.parse(text) });
    });
  });
}

describe.skipIf(!hasCurl)("curl", () => {
  test("starts a verification, and checks its code", async () => {
    const started = await paste(`curl -X POST __BASE__/verify/start \\
  -H "X-API-Key: $BYONDAPI_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "channel": "email",
    "recipient": "ada@example.com",
    "brand": "Acme",
    "code_length": 6,
    "ttl_seconds": 300
  }'`);
    expect(started).toMatchObject({ status: 201, body: { channel: "email", status: "pending" } });
    const code = /\b\d{6}\b/.exec((await app.messageTo("ada@example.com")).text)?.[0];
    const checked = await paste(`curl -X POST __BASE__/verify/check \\
  -H "X-API-Key: $BYONDAPI_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "verification_id": "${started.body.verification_id}",
    "code": "${code}"
  }'`);
    expect(checked).toEqual({
      status: 200,
      body: { verification_id: started.body.verification_id, status: "approved" },
    });
  });

  test("looks up a number, with the plus encoded as in the reference", async () => {
    const { status, body } = await paste(`curl "__BASE__/lookup?number=+6591234567&country=SG" \\
  -H "X-API-Key: $BYONDAPI_KEY"`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ input: "+6591234567", number_e164: "+6591234567", valid: true, country: "Singapore" });
  });

  test("takes the key as a Bearer token too", async () => {
    const line = `curl "__BASE__/lookup?number=+6591234567" -H "Authorization: Bearer $BYONDAPI_KEY"`;
    expect(await paste(line)).toMatchObject({ status: 200, body: { valid: true } });
  });

  test("creates a key, lists it and revokes it", async () => {
    const created = await paste(`curl -X POST __BASE__/api-keys \\
  -H "Authorization: Bearer $JWT" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "prod-backend",
    "scopes": ["verify", "lookup"]
  }'`);
    expect(created).toMatchObject({ status: 201, body: { name: "prod-backend", scopes: ["verify", "lookup"] } });
    const listed = await paste(`curl __BASE__/api-keys \\
  -H "Authorization: Bearer $JWT"`);
    expect(listed.body.keys[0]).toMatchObject({ id: created.body.id, last_used_at: null });
    const revoked = await paste(`curl -X DELETE __BASE__/api-keys/${created.body.id} \\
  -H "Authorization: Bearer $JWT"`);
    expect(revoked).toEqual({ status: 200, body: { id: created.body.id, revoked: true } });
  });

  test("over HTTP/2 without TLS", async () => {
    const line = `curl --http2-prior-knowledge "__BASE__/lookup?number=+6591234567" -H "X-API-Key: $BYONDAPI_KEY"`;
    expect(await paste(line)).toMatchObject({ status: 200, body: { valid: true } });
  });

  test("without a Content-Type is told that it is missing", async () => {
    const line = `curl -X POST __BASE__/verify/start -H "X-API-Key: $BYONDAPI_KEY" -d '{"channel":"email"}'`;
    const { status, body } = await paste(line);
    expect(status).toBe(415);
    expect(body.error).toMatchObject({ code: "unsupported_media_type" });
    expect(body.error.message).toContain("application/json");
  });

  test("calls Connect with JSON", async () => {
    const line = `curl -X POST ${app.url}/byond.v1.LookupService/LookupNumber -H "X-API-Key: $BYONDAPI_KEY" -H "Content-Type: application/json" -d '{"number": "+6591234567"}'`;
    expect(await paste(line)).toMatchObject({ status: 200, body: { numberE164: "+6591234567", valid: true } });
  });
});
