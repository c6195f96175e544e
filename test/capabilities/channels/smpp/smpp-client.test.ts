import smpp from "smpp";
import { afterEach, expect, test, vi } from "vitest";
import { SmppClient, type SmppClientOptions } from "../../../../src/capabilities/channels/smpp/smpp-client.ts";
import { makeCertificate } from "../../../support/certificates.ts";
import { captureLog } from "../../../support/log-capture.ts";
import { HandMovedTimers } from "./hand-moved-timers.ts";
import { SmscFake } from "./smsc-fake.ts";

const resources = new Set<AsyncDisposable>();
const never = new AbortController().signal;
const message = { destination_addr: "6591234567", short_message: Buffer.from("493817") };

afterEach(async () => {
  for (const resource of [...resources].reverse()) {
    await resource[Symbol.asyncDispose]();
  }
  resources.clear();
});

async function openSmsc(options?: Parameters<typeof SmscFake.open>[0]): Promise<SmscFake> {
  const smsc = await SmscFake.open(options);
  resources.add(smsc);
  return smsc;
}

function openClient(port: number, options: Partial<SmppClientOptions> = {}) {
  const timers = new HandMovedTimers();
  const { logger, lines } = captureLog();
  const client = new SmppClient(
    {
      host: "127.0.0.1",
      port,
      tls: undefined,
      systemId: "acme",
      password: "pass4711",
      systemType: "otp",
      modes: ["transceiver"],
      window: 2,
      enquireLinkMs: 30_000,
      timeouts: { bindMs: 10_000, responseMs: 5_000, unbindMs: 1_000 },
      onDelivery: async () => 0,
      ...options,
    },
    { provider: "smpp", logger, timers, monotonicMs: timers.monotonicMs, random: () => 0 },
  );
  resources.add({ [Symbol.asyncDispose]: () => client.close() });
  const events = () => lines.map((line) => JSON.parse(line)).map(({ event, reason }) => [event, reason]);
  return { client, timers, events, lines };
}

const accepted = (messageId: string) => ({ kind: "answered", status: 0, messageId });

test("binds with the account, and submits a message for its id", async () => {
  const smsc = await openSmsc();
  const { client, events } = openClient(smsc.port);
  expect(await client.submit([message], never)).toEqual(accepted("id-1"));
  expect(smsc.binds).toMatchObject([
    {
      command: "bind_transceiver",
      system_id: "acme",
      password: "pass4711",
      system_type: "otp",
      interface_version: 0x34,
    },
  ]);
  expect(smsc.submits).toMatchObject([{ destination_addr: "6591234567", short_message: { message: "493817" } }]);
  expect(events()).toEqual([["smpp_bound", undefined]]);
});

test("no more messages are under way on a connection than its window, and the others follow", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client } = openClient(smsc.port, { modes: ["transceiver", "transceiver"] });
  const answers = Array.from({ length: 6 }, () => client.submit([message], never));
  await vi.waitFor(() => expect(smsc.submits).toHaveLength(4), { timeout: 20_000 });
  // Whatever the client had sent before these would have arrived before them.
  expect(await smsc.request("enquire_link")).toBe(0);
  expect(smsc.submits).toHaveLength(4);
  smsc.behaviour = {};
  smsc.answerSubmits();
  expect((await Promise.all(answers)).map((answer) => answer.kind)).toEqual(Array(6).fill("answered"));
  expect(smsc.submits).toHaveLength(6);
});

test("the parts of a message follow each other, until one is refused", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: (_pdu, count) => ({ status: count === 2 ? 0x58 : 0 }) };
  const { client } = openClient(smsc.port);
  expect(await client.submit([message, message, message], never)).toMatchObject({ kind: "answered", status: 0x58 });
  expect(smsc.submits).toHaveLength(2);
});

test("an SMSC that no longer answers is asked whether it is there, left, and bound again", async () => {
  const smsc = await openSmsc();
  const { client, timers, events } = openClient(smsc.port);
  await client.submit([message], never);
  timers.advance(30_000);
  await vi.waitFor(() => expect(smsc.enquiries).toBe(1), { timeout: 20_000 });
  await client.submit([message], never);
  smsc.behaviour = { onEnquireLink: () => "silent", onSubmit: () => "silent" };
  timers.advance(30_000);
  await vi.waitFor(() => expect(smsc.enquiries).toBe(2), { timeout: 20_000 });
  const underWay = client.submit([message], never);
  timers.advance(5_000);
  expect(await underWay).toEqual({ kind: "unanswered", reason: "the SMSC does not answer", mayBeSent: true });
  expect(await client.submit([message], never)).toMatchObject({
    reason: "the SMSC does not answer",
    afterMs: 1_000,
  });
  smsc.behaviour = {};
  timers.advance(1_000);
  expect(await client.submit([message], never)).toMatchObject({ kind: "answered", status: 0 });
  expect(smsc.binds).toHaveLength(2);
  expect(events().at(-2)).toEqual(["smpp_connection_lost", "the SMSC does not answer"]);
});

test("a message that is not answered in time costs the connection only if the SMSC is not there", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client, timers } = openClient(smsc.port);
  const slow = client.submit([message], never);
  await vi.waitFor(() => expect(smsc.submits).toHaveLength(1), { timeout: 20_000 });
  timers.advance(5_000);
  expect(await slow).toEqual({ kind: "unanswered", reason: "the SMSC did not answer in time", mayBeSent: true });
  await vi.waitFor(() => expect(smsc.enquiries).toBe(1), { timeout: 20_000 });
  // Its late answer is nobody's.
  smsc.answerSubmits();
  smsc.behaviour = {};
  expect(await client.submit([message], never)).toEqual(accepted("id-2"));
  expect(smsc.binds).toHaveLength(1);
});

test("after a cut, binds are tried with growing pauses until the SMSC is back", async () => {
  const smsc = await openSmsc();
  const { client, timers, events } = openClient(smsc.port);
  await client.submit([message], never);
  const { port } = smsc;
  await smsc[Symbol.asyncDispose]();
  resources.delete(smsc);
  for (const [index, pauseMs] of [1_000, 2_000, 4_000, 8_000].entries()) {
    await vi.waitFor(() => expect(events()).toHaveLength(index + 2), { timeout: 20_000 });
    timers.advance(pauseMs - 1);
    expect(await client.submit([message], never)).toMatchObject({ kind: "unanswered", afterMs: 1 });
    timers.advance(1);
  }
  await vi.waitFor(() => expect(events()).toHaveLength(6), { timeout: 20_000 });
  expect(events().slice(2)).toEqual(Array(4).fill(["smpp_bind_failed", "the connection failed (ECONNREFUSED)"]));
  const again = await openSmsc({ port });
  timers.advance(10_000);
  expect(await client.submit([message], never)).toEqual(accepted("id-1"));
  expect(again.binds).toHaveLength(1);
});

test("a refused account is left alone for a minute, and its password is in no log", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onBind: () => ({ status: 0x0e }) };
  const { client, timers, events, lines } = openClient(smsc.port);
  expect(await client.submit([message], never)).toEqual({
    kind: "unanswered",
    reason: "the SMSC refused the bind (ESME_RINVPASWD)",
    afterMs: 5_000,
  });
  expect(events()).toEqual([["smpp_bind_failed", "the SMSC refused the bind (ESME_RINVPASWD)"]]);
  timers.advance(59_999);
  smsc.behaviour = {};
  timers.advance(1);
  expect(await client.submit([message], never)).toEqual(accepted("id-1"));
  expect(lines.join()).not.toContain("pass4711");
});

test("an SMSC that takes the connection and never answers the bind is given up", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onBind: () => "silent" };
  const { client, timers, events } = openClient(smsc.port);
  const waiting = client.submit([message], never);
  await vi.waitFor(() => expect(smsc.binds).toHaveLength(1), { timeout: 20_000 });
  timers.advance(10_000);
  expect(await waiting).toMatchObject({ kind: "unanswered", afterMs: 1_000 });
  expect(events()).toEqual([["smpp_bind_failed", "the SMSC did not accept the connection in time"]]);
});

test.each([
  ["text", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "the SMSC sent a PDU of 1213486160 octets"],
  ["a PDU without a whole header", Buffer.from("0000000300000000", "hex"), "the SMSC sent a PDU of 3 octets"],
  [
    "a PDU that is too long",
    Buffer.from("00004001000000050000000000000001", "hex"),
    "the SMSC sent a PDU of 16385 octets",
  ],
])("%s ends the connection, and the next one works", async (_name, octets, reason) => {
  const smsc = await openSmsc();
  const { client, timers, events } = openClient(smsc.port);
  await client.submit([message], never);
  smsc.write(octets);
  await vi.waitFor(() => expect(events().at(-1)).toEqual(["smpp_connection_lost", reason]), { timeout: 20_000 });
  await vi.waitFor(() => expect(smsc.answers).toMatchObject([{ command: "generic_nack", command_status: 2 }]), {
    timeout: 20_000,
  });
  timers.advance(1_000);
  expect(await client.submit([message], never)).toMatchObject({ kind: "answered", status: 0 });
});

test("a PDU that cannot be read is refused for good, and the connection goes on", async () => {
  const smsc = await openSmsc();
  const onDelivery = vi.fn(async () => 0);
  const { client } = openClient(smsc.port, { onDelivery });
  await client.submit([message], never);
  // A deliver_sm whose message_state (0x0427) has no octet.
  const body = `${"00".repeat(17)}04270000`;
  const length = (16 + body.length / 2).toString(16).padStart(8, "0");
  smsc.write(Buffer.from(`${length}000000050000000000000063${body}`, "hex"));
  expect(await smsc.answerTo(0x63)).toMatchObject({ command: "deliver_sm_resp", command_status: 0x65 });
  smsc.write(Buffer.from("00000010000099990000000000000064", "hex"));
  expect(await smsc.answerTo(0x64)).toMatchObject({ command: "generic_nack", command_status: 3 });
  expect(await smsc.request("enquire_link")).toBe(0);
  expect(await smsc.request("deliver_sm", { esm_class: 4 })).toBe(0);
  expect(onDelivery).toHaveBeenCalledOnce();
  expect(smsc.binds).toHaveLength(1);
});

test("a PDU that arrives octet by octet, and two at once, are read", async () => {
  const smsc = await openSmsc();
  const { client } = openClient(smsc.port);
  await client.submit([message], never);
  const enquiry = (sequence: number) => Buffer.from(`000000100000001500000000000000${sequence.toString(16)}`, "hex");
  for (const octet of enquiry(0x61)) {
    smsc.write(Buffer.from([octet]));
  }
  smsc.write(Buffer.concat([enquiry(0x62), enquiry(0x63)]));
  for (const sequence of [0x61, 0x62, 0x63]) {
    expect(await smsc.answerTo(sequence)).toMatchObject({ command: "enquire_link_resp", command_status: 0 });
  }
});

test("only an answer of its kind, or a nack, answers a message", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client } = openClient(smsc.port);
  const refused = client.submit([message], never);
  await vi.waitFor(() => expect(smsc.submits).toHaveLength(1), { timeout: 20_000 });
  const [sequence = 0] = smsc.submits.map((pdu) => pdu.sequence_number);
  const answer = (command: string) => smsc.write(new smpp.PDU(command, { sequence_number: sequence }).toBuffer());
  answer("enquire_link_resp");
  answer("generic_nack");
  expect(await refused).toMatchObject({ kind: "answered", status: 0xff });
});

test("an SMSC that unbinds is answered, and bound again", async () => {
  const smsc = await openSmsc();
  const { client, timers, events } = openClient(smsc.port);
  await client.submit([message], never);
  expect(await smsc.request("unbind")).toBe(0);
  expect(events().at(-1)).toEqual(["smpp_connection_lost", "the SMSC unbound the connection"]);
  timers.advance(1_000);
  expect(await client.submit([message], never)).toMatchObject({ kind: "answered" });
});

test("an SMSC that thinks that nothing is bound gets a new bind", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => ({ status: 4 }) };
  const { client, timers } = openClient(smsc.port);
  expect(await client.submit([message], never)).toMatchObject({ status: 4 });
  smsc.behaviour = {};
  timers.advance(1_000);
  expect(await client.submit([message], never)).toMatchObject({ status: 0 });
  expect(smsc.binds).toHaveLength(2);
});

test("an aborted attempt ends at once, and keeps its place until the SMSC has answered", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client } = openClient(smsc.port, { window: 1 });
  const abort = new AbortController();
  const first = client.submit([message], abort.signal);
  await vi.waitFor(() => expect(smsc.submits).toHaveLength(1), { timeout: 20_000 });
  const second = client.submit([message], never);
  abort.abort();
  expect(await first).toEqual({ kind: "unanswered", reason: "the attempt was aborted", mayBeSent: true });
  expect(await smsc.request("enquire_link")).toBe(0);
  expect(smsc.submits).toHaveLength(1);
  smsc.behaviour = {};
  smsc.answerSubmits();
  expect(await second).toEqual(accepted("id-2"));
});

test("to stop, it waits for what is under way, unbinds, and leaves nothing behind", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client, timers } = openClient(smsc.port, { modes: ["transmitter", "receiver"] });
  void client.submit([message], never);
  await vi.waitFor(() => expect([smsc.submits.length, smsc.binds.length]).toEqual([1, 2]), { timeout: 20_000 });
  expect(smsc.binds.map(({ command }) => command).sort()).toEqual(["bind_receiver", "bind_transmitter"]);
  const closed = client.close();
  expect(await client.submit([message], never)).toMatchObject({ kind: "unanswered" });
  await vi.waitFor(() => expect(smsc.unbinds).toBe(1), { timeout: 20_000 });
  smsc.answerSubmits();
  await closed;
  expect(smsc.unbinds).toBe(2);
  await vi.waitFor(() => expect([smsc.connections, timers.pending]).toEqual([0, 0]), { timeout: 20_000 });
});

test("a stop does not wait for an SMSC that does not answer", async () => {
  const smsc = await openSmsc();
  smsc.behaviour = { onSubmit: () => "silent" };
  const { client, timers } = openClient(smsc.port);
  void client.submit([message], never);
  await vi.waitFor(() => expect(smsc.submits).toHaveLength(1), { timeout: 20_000 });
  const closed = client.close();
  await smsc.request("enquire_link");
  timers.advance(1_000);
  await closed;
});

test("over TLS, the certificate must be valid unless the URL says otherwise", async () => {
  const { key, cert } = makeCertificate({ commonName: "localhost" });
  const smsc = await openSmsc({ key, cert });
  const strict = openClient(smsc.port, { tls: { verifyCertificate: true } });
  expect(await strict.client.submit([message], never)).toMatchObject({ kind: "unanswered", afterMs: 1_000 });
  expect(strict.events()).toEqual([["smpp_bind_failed", "the connection failed (DEPTH_ZERO_SELF_SIGNED_CERT)"]]);
  const lax = openClient(smsc.port, { tls: { verifyCertificate: false } });
  expect(await lax.client.submit([message], never)).toEqual(accepted("id-1"));
});
