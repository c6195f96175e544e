/** What the sandbox of a workspace does has no effect on what is live: its keys are shared more freely. */
import { expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

const app = useTestApp();

async function openWorkspace() {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  const mint = async (mode: string) =>
    (await app.rest("POST", "/api-keys", { session, body: { name: mode, mode, scopes: ["*"] } })).body.key as string;
  return { live: await mint("live"), sandbox: await mint("test") };
}

const start = (key: string, recipient: string) =>
  app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });

test("codes that the sandbox sends to a recipient leave the live mode its own", async () => {
  const { live, sandbox } = await openWorkspace();
  const recipient = "ada@modes.example";
  const sent = [await start(sandbox, recipient), await start(sandbox, recipient), await start(sandbox, recipient)];
  expect(sent.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect((await start(sandbox, recipient)).status).toBe(429);
  expect((await start(live, recipient)).status).toBe(201);
});

test("wrong codes in the sandbox are none of the recipient's ten a day", async () => {
  const { live, sandbox } = await openWorkspace();
  const recipient = "bert@modes.example";
  for (let verification = 0; verification < 3; verification += 1) {
    const { body } = await start(sandbox, recipient);
    for (let guess = 0; guess < 5; guess += 1) {
      await app.rest("POST", "/verify/check", {
        key: sandbox,
        body: { verification_id: body.verification_id, code: "123456" },
      });
    }
  }
  const { body } = await start(live, recipient);
  const check = { verification_id: body.verification_id, code: "x" };
  expect((await app.rest("POST", "/verify/check", { key: live, body: check })).body.status).toBe("incorrect");
  const read = await app.rest("GET", `/verify/${body.verification_id}`, { key: live });
  expect(read.body).toMatchObject({ status: "pending", attempts_left: 4 });
});

test("an erasure in the sandbox erases nothing that is live", async () => {
  const { live, sandbox } = await openWorkspace();
  const recipient = "carl@modes.example";
  const { body } = await start(live, recipient);
  const erased = await app.rest("POST", "/verifications/erase", { key: sandbox, body: { recipient } });
  expect(erased.status).toBe(200);
  const { status, body: read } = await app.rest("GET", `/verify/${body.verification_id}`, { key: live });
  expect([status, read.recipient]).toEqual([200, "c•••@modes.example"]);
});
