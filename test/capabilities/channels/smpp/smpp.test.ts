import smpp from "smpp";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parseDsn } from "../../../../src/capabilities/channels/dsn.ts";
import type { Provider } from "../../../../src/capabilities/channels/provider-kind.ts";
import { smppKind } from "../../../../src/capabilities/channels/smpp/smpp.ts";
import type { Receipt } from "../../../../src/outbox/delivery-receipts.ts";
import type { SendResult } from "../../../../src/outbox/send-result.ts";
import { captureLog } from "../../../support/log-capture.ts";
import { codeMessage, fixedNow } from "../messages.ts";
import { SmscFake } from "./smsc-fake.ts";

let smsc: SmscFake;
let provider: Provider;
const recorded: Receipt[] = [];
const known = new Set<string>();
const opened: Provider[] = [];
let isDatabaseAway = false;

beforeAll(async () => {
  smsc = await SmscFake.open();
  provider = openProvider();
});

afterEach(() => {
  smsc.behaviour = {};
  recorded.length = 0;
});

afterAll(async () => {
  await Promise.all(opened.map((each) => each.close?.()));
  await smsc[Symbol.asyncDispose]();
});

function openProvider(parameters = "from=Acme"): Provider {
  const dsn = parseDsn(`smpp://acme:pass@127.0.0.1:${smsc.port}?${parameters}`);
  const { create } = smppKind.configure(dsn, { channel: "sms", secret: undefined });
  dsn.parameters.refuseOthers();
  const created = create({
    name: "smpp",
    channel: "sms",
    clock: { now: () => fixedNow, monotonicMs: () => performance.now() },
    logger: captureLog().logger,
    callbackUrl: undefined,
    async record(receipts) {
      if (isDatabaseAway) {
        throw new Error("no connection");
      }
      recorded.push(...receipts);
      return new Set(receipts.map(({ messageId }) => messageId).filter((id) => known.has(id)));
    },
  });
  opened.push(created);
  return created;
}

function send(overrides = {}, over = provider): Promise<SendResult> {
  const message = codeMessage({ channel: "sms", recipient: "+6591234567", ...overrides });
  return over.send(message, { idempotencyKey: "dlv_1", signal: AbortSignal.timeout(10_000) });
}

/** The parameters of the last message that the SMSC got. */
const lastSubmit = () => smsc.submits.at(-1);

test("a code is sent with its sender, its validity and the wish for a receipt", async () => {
  smsc.behaviour = { onSubmit: () => ({ messageId: "AB12" }) };
  expect(await send()).toEqual({ kind: "sent", providerMessageId: "AB12", segments: 1, awaitsReceipt: true });
  expect(lastSubmit()).toMatchObject({
    source_addr_ton: 5,
    source_addr: "Acme",
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: "6591234567",
    registered_delivery: 1,
    data_coding: 0,
    short_message: { message: expect.stringContaining("493817 is your Acme verification code") },
  });
});

test("a long text goes out in parts that belong together, and the last one's id is the message's", async () => {
  const before = smsc.submits.length;
  const result = await send({ brand: "Ёлки ".repeat(15) });
  const parts = smsc.submits.slice(before);
  expect(parts.length).toBeGreaterThan(1);
  expect(result).toMatchObject({
    kind: "sent",
    providerMessageId: `id-${smsc.submits.length}`,
    segments: parts.length,
  });
  expect(parts.map((part) => part.registered_delivery)).toEqual([...parts.slice(1).map(() => 0), 1]);
  expect(parts.map((part) => [part.esm_class, part.data_coding])).toEqual(parts.map(() => [0x40, 8]));
});

test("a transmitter awaits no receipts, and asks for none", async () => {
  const transmitter = openProvider("bind=transmitter");
  expect(await send({}, transmitter)).toEqual({ kind: "sent", providerMessageId: expect.any(String), segments: 1 });
  expect(lastSubmit()).toMatchObject({ registered_delivery: 0, source_addr: "" });
});

test("ids of another form in receipts are stored in one form", async () => {
  const hex = openProvider("submit_ids=hex&receipt_ids=decimal");
  smsc.behaviour = { onSubmit: () => ({ messageId: "6e57327c" }) };
  expect(await send({}, hex)).toMatchObject({ providerMessageId: "1851208316" });
});

/** What is not listed is refused for good. */
const effects: Readonly<Record<string, readonly string[]>> = {
  elsewhere: [
    "ESME_RINVMSGLEN",
    "ESME_RINVSRCADR",
    "ESME_RINVDSTADR",
    "ESME_RINVESMCLASS",
    "ESME_RINVSRCTON",
    "ESME_RINVSRCNPI",
    "ESME_RINVDCS",
    "ESME_RINVSRCADDRSUBUNIT",
  ],
  undeliverable: [],
  retry: ["ESME_RSUBMITFAIL", "ESME_RX_T_APPN"],
  rate: ["ESME_RMSGQFUL", "ESME_RTHROTTLED"],
  down: [
    "ESME_RINVCMDID",
    "ESME_RALYBND",
    "ESME_RSYSERR",
    "ESME_RBINDFAIL",
    "ESME_RINVPASWD",
    "ESME_RINVSYSID",
    "ESME_RINVSERTYP",
    "ESME_RINVSYSTYP",
    "ESME_RUNKNOWNERR",
    "ESME_RSERTYPUNAUTH",
    "ESME_RPROHIBITED",
    "ESME_RSERTYPUNAVAIL",
    "ESME_RSERTYPDENIED",
    "ESME_RINVBNDSTS",
  ],
};

const failed = { kind: "failed", provider: "works" };
const results: Readonly<Record<string, object>> = {
  final: failed,
  elsewhere: { ...failed, elsewhere: true },
  undeliverable: { ...failed, undeliverable: true },
  retry: { kind: "retry", provider: "works" },
  rate: { kind: "retry", provider: "fails", afterMs: 1_000 },
  down: { kind: "retry", provider: "fails" },
};

const { ESME_ROK: _accepted, ESME_RINVBNDSTS: notBound = 4, ...others } = smpp.errors;
// That nothing is bound ends the connection, and comes last.
const statuses = Object.entries({ ...others, ESME_RINVBNDSTS: notBound });

test("every status that the specification has is what the table says, and named in the reason", async () => {
  for (const [name, status] of statuses) {
    smsc.behaviour = { onSubmit: () => ({ status }) };
    const effect = Object.keys(effects).find((each) => effects[each]?.includes(name)) ?? "final";
    const reason = expect.stringMatching(new RegExp(`^[A-Za-z' ]+ \\(${name}\\)$`));
    expect(await send(), name).toEqual({ ...results[effect], reason });
  }
  expect(statuses).toHaveLength(66);
});

test("a status of the SMSC's own is tried again", async () => {
  const another = openProvider();
  smsc.behaviour = { onSubmit: () => ({ status: 0x4a1 }) };
  const reason = "the SMSC answered with a status of its own (0x000004a1)";
  expect(await send({}, another)).toEqual({ kind: "retry", provider: "works", reason });
});

test.each(statuses.map(([name, status]) => [name, status]))(
  "a bind that is refused with %s pauses the provider",
  async (name, status) => {
    smsc.behaviour = { onBind: () => ({ status }) };
    const refused = openProvider();
    expect(await send({}, refused)).toMatchObject({
      kind: "retry",
      provider: "fails",
      reason: `the SMSC refused the bind (${name})`,
      afterMs: expect.any(Number),
    });
    await refused.close?.();
  },
);

const receipt = (id: string, stat: string) => ({
  esm_class: 4,
  source_addr: "6591234567",
  destination_addr: "Acme",
  short_message: Buffer.from(
    `id:${id} sub:001 dlvrd:001 submit date:2603011200 done date:2603011200 stat:${stat} err:00B text:493817`,
  ),
});

test("receipts are recorded, and answered after that", async () => {
  const bound = openProvider();
  await send({}, bound);
  for (const id of ["one", "two", "three"]) {
    known.add(id);
  }
  expect(await smsc.request("deliver_sm", receipt("one", "DELIVRD"))).toBe(0);
  expect(await smsc.request("deliver_sm", receipt("two", "UNDELIV"))).toBe(0);
  const gone = {
    esm_class: 4,
    receipted_message_id: "three",
    message_state: 5,
    network_error_code: Buffer.from([3, 0, 1]),
  };
  expect(await smsc.request("data_sm", gone)).toBe(0);
  expect(recorded).toEqual([
    { messageId: "one", state: "delivered", at: fixedNow, error: null },
    { messageId: "two", state: "failed", at: fixedNow, error: "the SMSC reports UNDELIV, error 00B" },
    { messageId: "three", state: "failed", at: fixedNow, error: "the SMSC reports UNDELIV", undeliverable: true },
  ]);
});

test("messages of people, and receipts that are not final, are acknowledged and dropped", async () => {
  const bound = openProvider();
  await send({}, bound);
  expect(await smsc.request("deliver_sm", { ...receipt("one", "DELIVRD"), esm_class: 0 })).toBe(0);
  expect(await smsc.request("deliver_sm", receipt("one", "ACCEPTD"))).toBe(0);
  expect(recorded).toEqual([]);
});

test("without the database, a receipt is to come again", async () => {
  const bound = openProvider();
  await send({}, bound);
  known.add("one");
  isDatabaseAway = true;
  expect(await smsc.request("deliver_sm", receipt("one", "DELIVRD"))).toBe(0x64);
  isDatabaseAway = false;
  expect(await smsc.request("deliver_sm", receipt("one", "DELIVRD"))).toBe(0);
});
