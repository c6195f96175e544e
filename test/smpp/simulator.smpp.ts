import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingOf } from "../clients/toolchains.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { ServerProcess } from "../support/processes.ts";
import { inParallel, until } from "../system/load.ts";
import { SmscSimulator } from "./smsc-simulator.ts";

const missing = missingOf(["java"]);
const messagesDuringOutage = 30;
/** PDUs without a body, as the simulator logs what it receives. */
const pdus = { enquireLink: /Received PDU 0000001000000015/, unbind: /Received PDU 0000001000000006/ };

/** A server with two workers and another one on the same database, and jsmpp's simulator of an SMSC: three binds. */
describe.skipIf(missing !== undefined)(
  `over SMPP to jsmpp's simulator${missing === undefined ? "" : `: no ${missing}`}`,
  () => {
    const resources = new AsyncDisposableStack();
    let simulator: SmscSimulator;
    let servers: readonly [ServerProcess, ServerProcess];
    let key: string;

    beforeAll(async () => {
      const database = await createMigratedDatabase();
      resources.defer(() => database.drop());
      const port = await freePort();
      simulator = await SmscSimulator.start(port);
      resources.defer(() => simulator.kill());
      const SMS_URL = `smpp://j:jpwd@127.0.0.1:${port}?from=Acme&submit_ids=hex&receipt_ids=decimal&enquire_link=1`;
      const start = (WORKERS: string) =>
        ServerProcess.start({ databaseUrl: database.url, environment: { SMS_URL, WORKERS } });
      servers = [resources.use(await start("2")), resources.use(await start("1"))];
      key = await servers[0].mintKey();
    });

    afterAll(() => resources.disposeAsync());

    /** Starts a verification, and returns its id. */
    async function startCode(recipient: string, server = servers[0]): Promise<string> {
      const { status, body } = await server.rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } });
      expect([status, body.status]).toEqual([201, "pending"]);
      return body.verification_id;
    }

    async function deliveriesOf(id: string) {
      const { body } = await servers[1].rest("GET", `/verify/${id}`, { key });
      return body.deliveries;
    }

    async function untilDelivered(ids: readonly string[]): Promise<void> {
      await until("all are delivered", 60_000, async () => {
        const deliveries = await Promise.all(ids.map(deliveriesOf));
        return deliveries.every(([delivery]) => delivery.status === "delivered");
      });
    }

    const codes = () => simulator.submissions.map(({ text }) => /^\d+/.exec(text)?.[0] ?? "");
    const binds = () => simulator.count(/Accepting bind/);

    test("every process binds for itself, and asks whether the SMSC is there", async () => {
      await until("three binds", 30_000, () => binds() === 3);
      await until("each asks", 30_000, () => simulator.count(pdus.enquireLink) >= 3);
    });

    test("a code arrives at the SMSC, its receipt makes it delivered, and it is approved", async () => {
      const startedMs = performance.now();
      const id = await startCode("+6591234567");
      await until("it arrives", 10_000, () => codes().length === 1);
      const arrivedMs = performance.now() - startedMs;
      await untilDelivered([id]);
      const deliveredMs = performance.now() - startedMs;
      const [{ messageId } = { messageId: "" }] = simulator.submissions;
      expect(await deliveriesOf(id)).toMatchObject([
        {
          status: "delivered",
          provider: "smpp",
          segments: 1,
          provider_message_id: String(Number.parseInt(messageId, 16)),
          attempts: 1,
        },
      ]);
      const check = { verification_id: id, code: codes()[0] };
      const { body } = await servers[0].rest("POST", "/verify/check", { key, body: check });
      expect(body).toMatchObject({ status: "approved" });
      console.log(
        `at the SMSC after ${arrivedMs.toFixed(0)} ms, delivered after ${deliveredMs.toFixed(0)} ms; ` +
          "the simulator reports after 1,000",
      );
    });

    test("while the SMSC is away, starts are answered; after its return all codes arrive and are delivered", async () => {
      const { port } = simulator;
      await simulator.kill();
      const ids: string[] = [];
      const durationsMs: number[] = [];
      await inParallel(messagesDuringOutage, async (index) => {
        const startedMs = performance.now();
        ids.push(await startCode(`+659123${4_000 + index}`, servers[index % 2]));
        durationsMs.push(performance.now() - startedMs);
      });
      const paused = () =>
        servers.flatMap(({ logLines }) => logLines).filter(({ event }) => event === "provider_paused");
      await until("the provider is paused", 10_000, () => paused().length > 0);
      expect(await Promise.all(servers.map((server) => server.readiness()))).toEqual([200, 200]);
      const backMs = performance.now();
      simulator = await SmscSimulator.start(port);
      await untilDelivered(ids);
      const deliveredMs = performance.now() - backMs;
      // One that was under way when the SMSC was killed could be sent twice; none was.
      expect(new Set(codes()).size).toBe(messagesDuringOutage);
      expect(simulator.submissions).toHaveLength(messagesDuringOutage);
      await until("all are bound again", 30_000, () => binds() === 3);
      console.log(
        `${messagesDuringOutage} starts during the outage, the slowest answered in ${Math.max(...durationsMs).toFixed(0)} ms; ` +
          `all delivered ${(deliveredMs / 1_000).toFixed(1)} s after the SMSC was started again, each sent once`,
      );
    });

    test("a server that stops unbinds", async () => {
      const startedMs = performance.now();
      await Promise.all(servers.map((server) => server.stop()));
      await until("three unbinds", 5_000, () => simulator.count(pdus.unbind) === 3);
      expect(servers.flatMap(({ logLines }) => logLines).filter(({ level }) => level === "error")).toEqual([]);
      console.log(`stopped and unbound within ${(performance.now() - startedMs).toFixed(0)} ms`);
    });
  },
);
