import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../../src/app.ts";
import { useTestApp } from "../../../support/app.ts";
import { SmscFake } from "./smsc-fake.ts";

/** Text messages over an SMSC, from the start of a verification to the receipt. */
const smsc = await SmscFake.open();
afterAll(() => smsc[Symbol.asyncDispose]());
const dsn = `smpp://acme:pass@127.0.0.1:${smsc.port}?from=Acme&from.US=%2B12025550123&binds=2&submit_ids=hex&receipt_ids=decimal`;
const { delivery } = parseConfig({ SMS_URL: dsn });
const app = useTestApp({ delivery });

let key: string;
beforeAll(async () => {
  const { session, email } = await app.signUp();
  await app.rest("POST", "/auth/verify-email", { session, body: {} });
  const { code } = await app.messageTo(email);
  await app.rest("POST", "/auth/verify-email/check", { session, body: { code } });
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", mode: "live" } });
  key = body.key;
});

async function start(recipient: string): Promise<() => Promise<{ readonly status: string } | undefined>> {
  const { body } = await app.rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } });
  return async () => (await app.rest("GET", `/verify/${body.verification_id}`, { key })).body.deliveries[0];
}

const receipt = (id: string, stat: string) => ({
  esm_class: 4,
  short_message: Buffer.from(`id:${id} sub:001 dlvrd:001 stat:${stat} err:0`),
});

test("a receipt that is faster than the answer to its message makes it delivered", async () => {
  const answers: Promise<number>[] = [];
  smsc.behaviour = {
    onSubmit() {
      answers.push(smsc.request("deliver_sm", receipt("0000000255", "DELIVRD")));
      return { messageId: "FF" };
    },
  };
  const shown = await start("+6591234567");
  await expect.poll(async () => (await shown())?.status, { timeout: 10_000 }).toBe("delivered");
  expect(await Promise.all(answers)).toEqual([0]);
  expect(await shown()).toMatchObject({ provider: "smpp", provider_message_id: "255", segments: 1 });
  expect(smsc.submits.at(-1)).toMatchObject({ source_addr: "Acme", destination_addr: "6591234567" });
});

test("a message that the network gives up has failed, with the state and no more", async () => {
  smsc.behaviour = { onSubmit: () => ({ messageId: "100" }) };
  const shown = await start("+12015550124");
  await expect.poll(async () => (await shown())?.status, { timeout: 10_000 }).toBe("sent");
  expect(await smsc.request("deliver_sm", receipt("256", "EXPIRED"))).toBe(0);
  expect(await shown()).toMatchObject({ status: "failed", error: "the SMSC reports EXPIRED" });
  expect(smsc.submits.at(-1)).toMatchObject({ source_addr: "12025550123", source_addr_ton: 1 });
});
