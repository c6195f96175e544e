/** A `DATABASE_URL` with several hosts, of which one can be written to: which one changes with a failover. */
import { randomBytes } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { createApp, parseConfig } from "../../src/app.ts";
import { connect as connectClient, newClient } from "../../src/database/connect.ts";
import { explainFailure } from "../../src/process/start-failure.ts";
import { startTestApp } from "../support/app.ts";
import { addressOf, connectionTo } from "../support/database-address.ts";
import { DatabaseRole } from "../support/database-role.ts";
import { grant } from "../support/grants.ts";
import { captureLog } from "../support/log-capture.ts";
import { TraceCollector, traceParentOf } from "../support/trace-collector.ts";
import { until } from "./load.ts";
import { MainProcess } from "./main-process.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";

/** A host of the URL: a port that leads to one PostgreSQL or another, or to none. */
class Host implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;

  private constructor() {
    this.#server = createServer((client) => {
      if (this.#target === undefined) {
        client.destroy();
        return;
      }
      const server = connect(this.#target, "127.0.0.1");
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      client.pipe(server).pipe(client);
    });
  }

  static async open(target: number): Promise<Host> {
    const host = new Host();
    await new Promise<void>((resolve) => host.#server.listen(0, "127.0.0.1", resolve));
    host.lead(target);
    return host;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Cuts what is open. */
  lead(target: number | undefined): void {
    this.#target = target;
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lead(undefined);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test("the one that can be written to is found at the start and after a failover", async () => {
  await using role = await DatabaseRole.create();
  await using owner = await startTestApp();
  await grant(owner.databaseUrl, role.name);
  const { port, pathname } = new URL(owner.databaseUrl);
  // A standby: the same role and database, where nothing can be written.
  await using standby = await StoppablePostgres.start();
  await standby.query(`CREATE ROLE ${role.name} LOGIN PASSWORD '${role.password}'`);
  await standby.query(`ALTER ROLE ${role.name} SET default_transaction_read_only = on`);
  await standby.query(`CREATE DATABASE ${pathname.slice(1)}`);

  await using first = await Host.open(standby.port);
  await using second = await Host.open(Number(port));
  const url = `postgres://${role.name}:${role.password}@${first.address},${second.address}${pathname}`;

  // An error names the host that was reached, also if another one was found since.
  const connection = await connectionTo(url);
  const early = newClient("tests", connection, {});
  await connection.primary?.find(connection);
  await expect(connectClient(early, connection)).rejects.toThrow(`${first.address} is read-only`);

  await using collector = await TraceCollector.open();
  await using server = await owner.startAnother({
    database: { kind: "external", address: addressOf(url) },
    ...collector.settings(),
  });
  expect(server.app.databaseSecurity.server).toBe(second.address);
  const { session } = await server.signUp();
  const create = async (headers = {}) =>
    (await server.rest("POST", "/api-keys", { session, headers, body: { name: "key" } })).status;
  expect(await create()).toBe(201);
  /** Where the spans of a call's statements say that the database is. */
  const tracedPort = async () => {
    const traceId = randomBytes(16).toString("hex");
    expect(await create({ traceparent: traceParentOf(traceId) })).toBe(201);
    return (await collector.span(traceId, "COMMIT")).attributes["server.port"];
  };
  expect(await tracedPort()).toBe(second.port);

  // So do the commands that only read.
  const secret = "a secret of the tests that is long enough";
  await using command = new MainProcess({
    args: ["servers", "--json"],
    environment: { DATABASE_URL: url, BYOND_SECRET: secret },
  });
  await command.exited;
  expect(command.log).toBe("");
  expect(JSON.parse(command.output).servers).toHaveLength(2);

  // The hosts change places, and all connections are cut.
  first.lead(Number(port));
  second.lead(standby.port);
  await until("calls succeed on the new primary", 60_000, async () => (await create()) === 201);
  const statuses = await Promise.all(Array.from({ length: 20 }, create));
  expect(statuses).toEqual(statuses.map(() => 201));
  expect(await tracedPort()).toBe(first.port);
  await until("the server is ready", 60_000, async () => (await fetch(`${server.url}/readyz`)).status === 200);

  // One of them is away.
  second.lead(undefined);
  expect(await create()).toBe(201);
  first.lead(undefined);
  second.lead(Number(port));
  await until("calls succeed on the new primary", 60_000, async () => (await create()) === 201);

  // None can be written to.
  first.lead(standby.port);
  second.lead(standby.port);
  expect(await create()).toBe(503);
  await expect
    .poll(async () => (await fetch(`${server.url}/readyz`)).json(), { timeout: 60_000 })
    .toMatchObject({ status: "read_only" });
  const config = parseConfig({
    DATABASE_URL: url,
    BYOND_SECRET: secret,
    PORT: "0",
  });
  const refused = await createApp(config, { logger: captureLog().logger, onFatal: () => undefined }).catch(
    (error: unknown) => error,
  );
  expect(explainFailure(refused, config)).toBe(
    `The database of DATABASE_URL cannot be used: ${first.address} is read-only; ${second.address} is read-only`,
  );
  first.lead(Number(port));
  await until("calls succeed", 60_000, async () => (await create()) === 201);
});
