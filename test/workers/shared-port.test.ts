import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { type Recipient, SharedPort } from "../../src/workers/shared-port.ts";
import { WorkerChannel } from "../../src/workers/worker-channel.ts";

/** A worker without a process. What it is given stays on the way until the test says that it has it. */
class FakeWorker implements Recipient {
  readonly onTheWay = new Map<number, Socket>();
  readonly sent: number[] = [];
  readonly askedFor: number[] = [];
  readonly child = {
    send: (message: unknown) => {
      const { kind, number } = Object(message);
      (kind === "connection" ? this.sent : this.askedFor).push(Number(number));
      return true;
    },
  };
}

let port: SharedPort | undefined;
const clients: Socket[] = [];
afterEach(async () => {
  await port?.close();
  for (const client of clients.splice(0)) {
    client.destroy();
  }
});

/** A port of these workers. `connectOne` resolves when one of them has the connection. */
async function openPort(workers: readonly FakeWorker[]) {
  const recipients = [...workers];
  const opened = new SharedPort(() => recipients);
  port = opened;
  const address = await opened.open({ host: "127.0.0.1", port: 0 });
  const connectOnly = async () => {
    const socket = connect(address.port, address.host);
    socket.on("error", () => undefined);
    clients.push(socket);
    await once(socket, "connect");
    return socket;
  };
  const sent = () => workers.reduce((sum, worker) => sum + worker.sent.length, 0);
  const connectOne = async () => {
    const before = sent();
    const socket = await connectOnly();
    await vi.waitUntil(() => sent() === before + 1, { timeout: 20_000 });
    return socket;
  };
  return { port: opened, recipients, connectOnly, connectOne, sent };
}

test("a connection that never reached its worker is closed when the worker has a later one, and no other is", async () => {
  const worker = new FakeWorker();
  const { port, connectOne } = await openPort([worker]);
  port.serve();
  const lost = await connectOne();
  const taken = await connectOne();
  await connectOne();
  const [, second = 0, third = 0] = worker.sent;
  // What a real worker has taken stays open there.
  const closed = [lost, taken].map((socket) => once(socket.resume(), "close"));
  port.taken(worker, second);
  await Promise.all(closed);
  expect([...worker.onTheWay.keys()]).toEqual([third]);
  expect(worker.onTheWay.get(third)?.destroyed).toBe(false);
});

test("a worker that gets none of four connections is asked, and gets others when it answers", async () => {
  const worker = new FakeWorker();
  const { port, connectOne, sent } = await openPort([worker]);
  port.serve();
  const lost: Socket[] = [];
  for (let count = 0; count < 4; count += 1) {
    lost.push(await connectOne());
  }
  const [, , , fourth = 0] = worker.sent;
  expect(worker.askedFor).toEqual([fourth]);
  const closed = lost.map((socket) => once(socket.resume(), "close"));
  const said: unknown[] = [];
  new WorkerChannel((message) => said.push(message)).receive({ kind: "sent", number: fourth }, undefined);
  expect(said.at(-1)).toEqual({ kind: "taken", number: fourth });
  port.taken(worker, fourth);
  await Promise.all(closed);
  await connectOne();
  expect(sent()).toBe(5);
});

test("a worker that takes nothing gets four; the other gets all others, and these too when it has ended", async () => {
  const [stopped, serving] = [new FakeWorker(), new FakeWorker()];
  const { port, recipients, connectOne } = await openPort([stopped, serving]);
  port.serve();
  for (let count = 0; count < 20; count += 1) {
    await connectOne();
    port.taken(serving, serving.sent.at(-1) ?? -1);
  }
  expect([stopped.sent.length, serving.sent.length]).toEqual([4, 16]);
  recipients.shift();
  port.ended(stopped);
  expect(serving.sent).toHaveLength(20);
});

test("connections that come before all workers have started wait, and are spread over them", async () => {
  const workers = [new FakeWorker(), new FakeWorker()];
  const { port, connectOnly, sent } = await openPort(workers);
  for (let count = 0; count < 4; count += 1) {
    await connectOnly();
  }
  port.serve();
  await vi.waitUntil(() => sent() === 4, { timeout: 20_000 });
  expect(workers.map((worker) => worker.sent.length)).toEqual([2, 2]);
});

test("a port that closes hands over what waits as soon as a worker takes it", async () => {
  const worker = new FakeWorker();
  const { port, connectOne, connectOnly } = await openPort([worker]);
  port.serve();
  for (let count = 0; count < 4; count += 1) {
    await connectOne();
  }
  await connectOnly();
  const closing = port.close();
  port.taken(worker, worker.sent.at(-1) ?? 0);
  await closing;
  expect(worker.sent).toHaveLength(5);
});
