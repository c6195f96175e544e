/**
 * What somebody without a credential costs: CPU of the server and of its PostgreSQL a request, bytes out to bytes in, memory
 * that connections hold. Linux only (it reads /proc). `node bench/strangers.ts [folder]` measures another checkout; figures of two
 * are comparable if they were taken one after the other.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { ServerReflectionRequestSchema } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { makeSelfSignedCertificate } from "../test/server/self-signed-certificate.ts";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const folder = mkdtempSync(join(tmpdir(), "byond-strangers-"));
const certificate = makeSelfSignedCertificate();
writeFileSync(join(folder, "cert.pem"), certificate.cert);
writeFileSync(join(folder, "key.pem"), certificate.key);

interface Server {
  readonly url: URL;
  readonly process: ChildProcess;
}

async function startServer(environment: Readonly<Record<string, string>>): Promise<Server> {
  const child = spawn(process.execPath, [join(root, "src/main.ts")], {
    cwd: import.meta.dirname,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: "0",
      DATA_DIR: join(folder, "data"),
      SIGN_UP_LIMIT: "1000000",
      ...environment,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  for (;;) {
    const [chunk] = await once(child.stdout, "data");
    output += String(chunk);
    const url = /Byond is listening on (\S+)\n/.exec(output)?.[1];
    if (url !== undefined) {
      child.stdout.resume();
      return { url: new URL(url), process: child };
    }
  }
}

async function stopServer(server: Server): Promise<void> {
  server.process.kill("SIGTERM");
  await once(server.process, "exit");
}

/** Milliseconds of CPU used so far, by the server and by everything that it started. */
function cpuMs(server: Server): { server: number; database: number } {
  const parents = new Map<number, number>();
  const used = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      parents.set(Number(name), Number(fields[1]));
      used.set(Number(name), (Number(fields[11]) + Number(fields[12])) * 10);
    } catch {
      // It has ended since.
    }
  }
  const own = server.process.pid ?? 0;
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id);
    return parent === own || (parent !== undefined && parent > 1 && isBelow(parent));
  };
  const database = [...used].reduce((sum, [id, ms]) => (isBelow(id) ? sum + ms : sum), 0);
  return { server: used.get(own) ?? 0, database };
}

function residentKb(server: Server): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1] ?? 0);
}

interface Traffic {
  /** Bytes sent to the server. */
  sent: number;
  received: number;
  /** How often each status came. */
  readonly statuses: Map<string, number>;
}

const rows: string[][] = [];

async function measure(name: string, server: Server, count: number, act: (traffic: Traffic) => Promise<void>) {
  const traffic: Traffic = { sent: 0, received: 0, statuses: new Map() };
  const before = cpuMs(server);
  const startedMs = performance.now();
  await act(traffic);
  const wallMs = performance.now() - startedMs;
  await new Promise((wait) => setTimeout(wait, 300));
  const after = cpuMs(server);
  rows.push([
    name,
    ((after.server - before.server) / count).toFixed(2),
    ((after.database - before.database) / count).toFixed(2),
    (traffic.sent / count).toFixed(0),
    (traffic.received / count).toFixed(0),
    (traffic.received / Math.max(1, traffic.sent)).toFixed(1),
    Array.from(traffic.statuses, ([status, times]) => `${status} × ${times}`).join(", "),
    (count / (wallMs / 1_000)).toFixed(0),
  ]);
  console.error(rows.at(-1)?.join(" | "));
}

async function inParallel(count: number, concurrency: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(count, concurrency) }, async () => {
      while (next < count) {
        next += 1;
        await act(next);
      }
    }),
  );
}

function note(traffic: Traffic, status: string | number | undefined): void {
  traffic.statuses.set(String(status), (traffic.statuses.get(String(status)) ?? 0) + 1);
}

interface Http1Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: (index: number) => string | Buffer;
}

async function http1(
  server: Server,
  count: number,
  { method = "GET", path, headers = {}, body }: Http1Request,
  traffic: Traffic,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const sockets = new Set<Socket>();
  await inParallel(count, 8, async (index) => {
    const content = body?.(index);
    const request = requestHttp(new URL(path, server.url), {
      method,
      agent,
      headers: {
        ...(content === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) }),
        ...headers,
      },
    });
    request.on("socket", (socket) => sockets.add(socket));
    request.end(content);
    try {
      const [response]: IncomingMessage[] = await once(request, "response");
      if (response === undefined) {
        return;
      }
      response.resume();
      note(traffic, response.statusCode);
      await once(response, "end");
    } catch (error) {
      note(traffic, error instanceof Error && "code" in error ? String(error.code) : "error");
    }
  });
  for (const socket of sockets) {
    traffic.sent += socket.bytesWritten;
    traffic.received += socket.bytesRead;
    socket.destroy();
  }
}

async function openHttp2(server: Server): Promise<ClientHttp2Session> {
  const session = connectHttp2(server.url);
  session.on("error", () => undefined);
  await once(session, "remoteSettings");
  return session;
}

function closeHttp2(session: ClientHttp2Session, traffic: Traffic): void {
  traffic.sent += session.socket.bytesWritten ?? 0;
  traffic.received += session.socket.bytesRead ?? 0;
  session.destroy();
}

const frame = (message: Uint8Array) =>
  Buffer.concat([Buffer.from([0, 0, 0, message.length >> 8, message.length & 255]), message]);

/** Sends messages on one gRPC stream; its status. */
async function grpc(
  session: ClientHttp2Session,
  path: string,
  messages: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const stream = session.request({
    ...headers,
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-accept-encoding": "gzip",
  });
  let status = "none";
  stream.on("response", (headers) => {
    status = String(headers["grpc-status"] ?? status);
  });
  stream.on("trailers", (trailers) => {
    status = String(trailers["grpc-status"] ?? status);
  });
  stream.on("error", () => undefined);
  stream.resume();
  stream.end(messages);
  await once(stream, "close");
  return `grpc ${status}`;
}

const json = (value: unknown) => JSON.stringify(value);

const forgedKey = `pk_live_${"a".repeat(12)}.${"b".repeat(38)}`;
const forgedSession = `${"a".repeat(40)}.${"b".repeat(200)}.${"c".repeat(43)}`;

/** A refresh token of a session that has ended. */
async function endedRefreshToken({ url }: Server): Promise<string> {
  const post = async (path: string, body: object) =>
    (
      await fetch(new URL(`/api/v1/auth/${path}`, url), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: json(body),
      })
    ).json();
  const account = { email: "ended@example.com", password: "correct horse battery", name: "Acme" };
  const { refresh_token } = await post("sign-up", account);
  await post("sign-out", { refresh_token });
  return refresh_token;
}

async function requests(server: Server): Promise<void> {
  const rest = (name: string, count: number, request: Http1Request) =>
    measure(name, server, count, (traffic) => http1(server, count, request, traffic));
  const post = (name: string, count: number, path: string, body: (index: number) => string | Buffer) =>
    rest(name, count, { method: "POST", path: `/api/v1/auth/${path}`, body });
  const fields = (many: number) =>
    json(Object.fromEntries(Array.from({ length: many }, (_, index) => [`f${index}`, 1])));

  await http1(server, 3_000, { path: "/api/v1/nothing" }, { sent: 0, received: 0, statuses: new Map() });
  await rest("`/healthz`", 2_000, { path: "/healthz" });
  await rest("`/readyz`", 2_000, { path: "/readyz" });
  await rest("404", 2_000, { path: "/api/v1/nothing" });
  await rest("`/metrics` without its token", 2_000, { path: "/metrics", headers: { "X-Forwarded-For": "192.0.2.1" } });
  await rest("forged key", 2_000, {
    path: "/api/v1/lookup?number=%2B6591234567",
    headers: { "X-API-Key": forgedKey },
  });
  await rest("forged session", 2_000, {
    path: "/api/v1/api-keys",
    headers: { Authorization: `Bearer ${forgedSession}` },
  });
  await rest("forged cookie of a session", 2_000, {
    path: "/api/v1/api-keys",
    headers: {
      "Byond-Session": "cookie",
      "Sec-Fetch-Site": "same-origin",
      Cookie: `byond_session_${server.url.port}=${forgedSession}~${"d".repeat(60)}`,
    },
  });
  await rest("stream of events, forged key", 2_000, {
    path: "/api/v1/events/stream",
    headers: { "X-API-Key": forgedKey, Accept: "text/event-stream" },
  });
  await rest("preflight of a page", 2_000, {
    method: "OPTIONS",
    path: "/api/v1/verify/check",
    headers: { Origin: "https://shop.example", "Access-Control-Request-Method": "POST" },
  });
  await rest("`traceparent` and `baggage` of 8 KB", 2_000, {
    path: "/api/v1/nothing",
    headers: {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      baggage: "a=b,".repeat(2_000),
    },
  });
  await rest("report of an adapter, forged, 30 KB", 300, {
    method: "POST",
    path: "/webhooks/sms/adapter",
    headers: { "Byond-Signature": `t=1,v1=${"0".repeat(64)}` },
    body: () => "a".repeat(30_000),
  });
  await rest("`/console/`", 1_000, { path: "/console/" });
  await rest("the schema as an archive", 500, { path: "/protos.tar.gz" });
  await rest("`/docs`", 1_000, { path: "/docs", headers: { "Accept-Encoding": "gzip" } });
  await rest("`/openapi.json`", 500, { path: "/openapi.json" });
  await rest("`/openapi.json`, compressed", 1_000, { path: "/openapi.json", headers: { "Accept-Encoding": "br" } });
  await measure("`/openapi.json`, another host each time", server, 100, async (traffic) => {
    for (let index = 0; index < 100; index += 1) {
      const headers = { Host: `h${index}.example`, "Accept-Encoding": "br" };
      await http1(server, 1, { path: "/openapi.json", headers }, traffic);
    }
  });
  await rest("headers of 15 KB", 500, { path: "/api/v1/nothing", headers: { "X-Long": "a".repeat(15_000) } });
  await rest("headers of 20 KB", 500, { path: "/api/v1/nothing", headers: { "X-Long": "a".repeat(20_000) } });
  await rest("127 headers", 500, {
    path: "/api/v1/nothing",
    headers: Object.fromEntries(Array.from({ length: 124 }, (_, index) => [`x-${index}`, "a"])),
  });
  await rest("`Accept-Encoding` of 15 KB", 500, {
    path: "/openapi.json",
    headers: { "Accept-Encoding": "a,".repeat(7_500) },
  });
  await rest("`X-Forwarded-For` of 15 KB", 500, {
    path: "/api/v1/nothing",
    headers: { "X-Forwarded-For": "1,".repeat(7_500) },
  });
  await post("body of 60 KB", 300, "sign-in", () => json({ email: "a".repeat(60_000) }));
  await post("body of 1 MB", 50, "sign-in", () => json({ email: "a".repeat(1_000_000) }));
  await post("not JSON, 60 KB", 300, "sign-in", () => "[".repeat(60_000));
  await post("6,000 unknown fields", 200, "sign-in", () => fields(6_000));
  await post("the same field 9,000 times", 200, "sign-in", () => `{${'"e":1,'.repeat(9_000)}"e":1}`);
  await post("sign-in, unknown account", 60, "sign-in", (index) =>
    json({ email: `nobody-${index}@example.com`, password: "correct horse battery" }),
  );
  await post("sign-in, one unknown account", 60, "sign-in", () =>
    json({ email: "nobody@example.com", password: "correct horse battery" }),
  );
  await post("sign-up", 40, "sign-up", (index) =>
    json({ email: `new-${index}@example.com`, password: "correct horse battery", name: "Acme" }),
  );
  await post("sign-up, known address", 40, "sign-up", () =>
    json({ email: "new-1@example.com", password: "correct horse battery", name: "Acme" }),
  );
  await post("sign-up, weak password", 200, "sign-up", (index) =>
    json({ email: `weak-${index}@example.com`, password: "a", name: "Acme" }),
  );
  await post("reset-password, unknown", 200, "reset-password", (index) =>
    json({ email: `nobody-${index}@example.com` }),
  );
  await post("confirm reset, unknown", 200, "reset-password/confirm", (index) =>
    json({ email: `nobody-${index}@example.com`, code: "123456", new_password: "correct horse battery" }),
  );
  await post("refresh, forged", 200, "refresh", () => json({ refresh_token: "a".repeat(60) }));
  await post("sign-out, forged", 200, "sign-out", () => json({ refresh_token: "a".repeat(60) }));
  const ended = await endedRefreshToken(server);
  await post("sign-out of a session that has ended", 200, "sign-out", () => json({ refresh_token: ended }));
  await post("refresh of a session that has ended", 200, "refresh", () => json({ refresh_token: ended }));

  const calls: readonly (readonly [name: string, path: string, headers: Readonly<Record<string, string>>])[] = [
    ["gRPC, forged key", "/byond.v1.LookupService/LookupNumber", { "x-api-key": forgedKey }],
    ["gRPC, stream of lookups, forged key", "/byond.v1.LookupService/StreamLookup", { "x-api-key": forgedKey }],
    ["gRPC, unknown RPC", "/byond.v1.LookupService/Nothing", {}],
  ];
  for (const [name, path, headers] of calls) {
    await measure(name, server, 1_000, async (traffic) => {
      const session = await openHttp2(server);
      const message = frame(new Uint8Array());
      await inParallel(1_000, 8, async () => note(traffic, await grpc(session, path, message, headers)));
      closeHttp2(session, traffic);
    });
  }

  const question = toBinary(
    ServerReflectionRequestSchema,
    create(ServerReflectionRequestSchema, {
      messageRequest: { case: "fileContainingSymbol", value: "byond.v1.AuthService" },
    }),
  );
  const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  await measure("reflection, 100 questions on a stream (each)", server, 100, async (traffic) => {
    const session = await openHttp2(server);
    note(traffic, await grpc(session, reflection, Buffer.concat(Array(100).fill(frame(question)))));
    closeHttp2(session, traffic);
  });
  await measure("reflection, a stream a question", server, 500, async (traffic) => {
    const session = await openHttp2(server);
    await inParallel(500, 8, async () => note(traffic, await grpc(session, reflection, frame(question))));
    closeHttp2(session, traffic);
  });
  await measure("`Health/Check`", server, 1_000, async (traffic) => {
    const session = await openHttp2(server);
    const message = frame(new Uint8Array());
    await inParallel(1_000, 8, async () => note(traffic, await grpc(session, "/grpc.health.v1.Health/Check", message)));
    closeHttp2(session, traffic);
  });
  await measure("HTTP/2 streams reset at once", server, 2_000, async (traffic) => {
    let session = await openHttp2(server);
    for (let index = 0; index < 2_000; index += 1) {
      if (session.destroyed || session.closed) {
        note(traffic, "connection ended");
        session = await openHttp2(server);
      }
      const stream = session.request({ ":path": "/api/v1/nothing" });
      stream.on("error", () => undefined);
      stream.close(8);
      if (index % 50 === 0) {
        await new Promise((wait) => setImmediate(wait));
      }
    }
    closeHttp2(session, traffic);
  });
  await measure("connections that say what is not HTTP", server, 500, async (traffic) => {
    await inParallel(500, 8, async () => {
      const socket = connectTcp(Number(server.url.port), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.write("SSH-2.0-OpenSSH_9.6\r\n\r\n");
      await once(socket, "close");
      traffic.sent += socket.bytesWritten;
      traffic.received += socket.bytesRead;
      note(traffic, "closed");
    });
  });
}

const held: string[][] = [];

/** What connections cost that stay: memory each, and CPU over five seconds in which they do nothing. */
async function hold(
  name: string,
  server: Server,
  wanted: number,
  open: () => Promise<{ ok: boolean; end: () => void }>,
) {
  const beforeKb = residentKb(server);
  const opened: { ok: boolean; end: () => void }[] = [];
  await inParallel(wanted, 20, async () => void opened.push(await open()));
  await new Promise((wait) => setTimeout(wait, 1_500));
  const count = opened.filter(({ ok }) => ok).length;
  const memoryKb = residentKb(server) - beforeKb;
  const before = cpuMs(server);
  await new Promise((wait) => setTimeout(wait, 5_000));
  const after = cpuMs(server);
  held.push([
    name,
    `${count} of ${wanted}`,
    (memoryKb / 1024).toFixed(0),
    ((after.server - before.server) / 5).toFixed(0),
    ((after.database - before.database) / 5).toFixed(0),
  ]);
  console.error(held.at(-1)?.join(" | "));
  for (const { end } of opened) {
    end();
  }
  await new Promise((wait) => setTimeout(wait, 1_000));
}

async function openSocket(server: Server, firstBytes: string): Promise<{ ok: boolean; end: () => void }> {
  const socket = connectTcp(Number(server.url.port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  if (firstBytes !== "") {
    socket.write(firstBytes);
    await once(socket, "data").catch(() => undefined);
  }
  socket.resume();
  return {
    get ok() {
      return !socket.destroyed;
    },
    end: () => socket.destroy(),
  };
}

async function connections(server: Server): Promise<void> {
  await hold("nothing", server, 1, async () => ({ ok: true, end: () => undefined }));
  await hold("silent TCP", server, 2_000, () => openSocket(server, ""));
  await hold("idle HTTP/1.1", server, 2_000, () =>
    openSocket(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  );
  await hold("HTTP/1.1, half of the headers", server, 2_000, async () => {
    const socket = connectTcp(Number(server.url.port), "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(8_000)}`);
    socket.resume();
    return {
      get ok() {
        return !socket.destroyed;
      },
      end: () => socket.destroy(),
    };
  });
  await hold("idle HTTP/2", server, 2_000, async () => {
    const session = connectHttp2(server.url);
    session.on("error", () => undefined);
    await Promise.race([once(session, "remoteSettings"), once(session, "close")]).catch(() => undefined);
    return {
      get ok() {
        return !session.closed && !session.destroyed;
      },
      end: () => session.destroy(),
    };
  });
  const sessions = await Promise.all(Array.from({ length: 20 }, () => openHttp2(server)));
  let next = 0;
  await hold("`Health/Watch`", server, 1_500, async () => {
    const session = sessions[next++ % sessions.length];
    const stream = session?.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Watch",
      "content-type": "application/grpc",
      te: "trailers",
    });
    if (stream === undefined) {
      return { ok: false, end: () => undefined };
    }
    stream.on("error", () => undefined);
    stream.resume();
    stream.end(frame(new Uint8Array()));
    await Promise.race([once(stream, "data"), once(stream, "close")]).catch(() => undefined);
    return {
      get ok() {
        return !stream.closed && !stream.destroyed;
      },
      end: () => stream.close(8),
    };
  });
  for (const session of sessions) {
    session.destroy();
  }
}

async function handshakes(server: Server): Promise<void> {
  const handshake = () =>
    new Promise<Socket>((done) => {
      const socket = connectTls({
        port: Number(server.url.port),
        host: "127.0.0.1",
        ca: certificate.cert,
        rejectUnauthorized: false,
      });
      socket.on("error", () => done(socket));
      socket.once("secureConnect", () => done(socket));
    });
  await measure("TLS handshake", server, 300, (traffic) =>
    inParallel(300, 8, async () => {
      const socket = await handshake();
      traffic.sent += socket.bytesWritten;
      traffic.received += socket.bytesRead;
      note(traffic, socket.destroyed ? "refused" : "established");
      socket.destroy();
    }),
  );
  await hold("TLS without a request", server, 1_000, async () => {
    const socket = await handshake();
    socket.resume();
    return {
      get ok() {
        return !socket.destroyed;
      },
      end: () => socket.destroy(),
    };
  });
}

try {
  const plain = await startServer({
    // For the reports of an adapter. Nobody listens there, and nothing is sent.
    SMS_URL: "http://127.0.0.1:9/",
    PROVIDER_SECRET: "a secret of thirty-two bytes or more",
  });
  await requests(plain);
  await stopServer(plain);
  const fresh = await startServer({});
  await connections(fresh);
  await stopServer(fresh);
  const encrypted = await startServer({ TLS_CERT: join(folder, "cert.pem"), TLS_KEY: join(folder, "key.pem") });
  await handshakes(encrypted);
  await stopServer(encrypted);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const print = (head: readonly string[], table: readonly string[][]) => {
  console.log(`\n| ${head.join(" | ")} |\n|${head.map(() => "---|").join("")}`);
  for (const row of table) {
    console.log(`| ${row.join(" | ")} |`);
  }
};
print(["request", "CPU ms", "of PostgreSQL", "bytes in", "bytes out", "out / in", "answers", "a second"], rows);
print(["connection that stays", "open", "MB, all", "CPU ms a second, all", "of PostgreSQL"], held);
