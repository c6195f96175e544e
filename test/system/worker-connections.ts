import { readdir, readFile } from "node:fs/promises";
import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as overHttp } from "node:http";
import { Agent as HttpsAgent, request as overHttps } from "node:https";
import { until } from "./load.ts";
import type { MainProcess } from "./main-process.ts";

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly body: any;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** One connection to a server, kept open: all its requests reach the same worker. */
export class Connection implements Disposable {
  readonly #url: string;
  readonly #agent: HttpAgent;

  constructor(url: string) {
    const options = { keepAlive: true, maxSockets: 1 };
    this.#url = url;
    this.#agent = url.startsWith("https:")
      ? new HttpsAgent({ ...options, rejectUnauthorized: false })
      : new HttpAgent(options);
  }

  call(path: string, { method = "GET", headers = {}, body }: Call = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const read = (response: IncomingMessage) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          const isJson = /json/.test(response.headers["content-type"] ?? "");
          const { statusCode: status, headers: received } = response;
          resolve({ status, headers: received, text, body: isJson ? JSON.parse(text) : undefined });
        });
      };
      const options = {
        method,
        agent: this.#agent,
        headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      };
      const send = this.#url.startsWith("https:") ? overHttps : overHttp;
      const call = send(this.#url + path, options, read);
      call.on("error", reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The number of the worker that answered, as its line in the log says. */
export async function workerOf(server: MainProcess, { headers }: Answer): Promise<number> {
  const [line] = await server.wrote(new RegExp(`^.*"request_id":"${headers["x-request-id"]}".*$`, "m"));
  return JSON.parse(line).worker;
}

/** A connection to each of two workers, in the order of their numbers. */
export async function connectToBoth(
  server: MainProcess,
  url: string,
): Promise<readonly [Connection, Connection] & Disposable> {
  const found = new Map<number, Connection>();
  await until("both workers have a connection", 30_000, async () => {
    const connection = new Connection(url);
    const number = await workerOf(server, await connection.call("/healthz"));
    found.get(number)?.[Symbol.dispose]();
    found.set(number, connection);
    return found.size === 2;
  });
  const [one, two] = [found.get(1), found.get(2)];
  if (one === undefined || two === undefined) {
    throw new Error(`workers ${[...found.keys()]} answered`);
  }
  return Object.assign([one, two] as const, {
    [Symbol.dispose]() {
      one[Symbol.dispose]();
      two[Symbol.dispose]();
    },
  });
}

/** All processes below one: its children, theirs, and so on. */
export async function processesBelow(processId: number): Promise<{ readonly id: number; readonly command: string }[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "") : "";
    if (stat !== "") {
      parents.set(Number(entry), Number(stat.replace(/^.*\) /s, "").split(" ")[1]));
    }
  }
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === processId || isBelow(parent));
  };
  const ids = [...parents.keys()].filter(isBelow);
  return Promise.all(
    ids.map(async (id) => ({
      id,
      command: (await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim(),
    })),
  );
}

/** The process of a worker, by its number. */
export async function processOfWorker(server: MainProcess, number: number): Promise<number> {
  const found = (await processesBelow(server.processId)).find(({ command }) => command.endsWith(`--worker ${number}`));
  if (found === undefined) {
    throw new Error(`there is no worker ${number}`);
  }
  return found.id;
}

/** Whether a process is there. One that has ended and that nobody has asked for is not. */
export async function isThere(processId: number): Promise<boolean> {
  const stat = await readFile(`/proc/${processId}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/^.*\) [ZX]/s.test(stat);
}
