/**
 * A proxy in front of the server that fails as a case asks for. The first part of a path names the case: `/<case>/api/v1/…` is passed on as
 * `/api/v1/…`, after its faults, one for each request, are used up.
 */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { errorBody } from "../../src/capabilities/reference/error-guide.ts";
import { type ErrorCode, errorKinds } from "../../src/errors.ts";
import type { Fault } from "./cases.ts";

export interface SeenRequest {
  readonly atMs: number;
  readonly headers: IncomingHttpHeaders;
}

interface Script {
  readonly faults: Fault[];
  readonly seen: SeenRequest[];
}

export class FaultProxy implements AsyncDisposable {
  readonly #target: URL;
  readonly #scripts = new Map<string, Script>();
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch(() => response.destroy());
  });

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** The base URL under which requests meet these faults. */
  script(name: string, faults: readonly Fault[]): string {
    this.#scripts.set(name, { faults: [...faults], seen: [] });
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${name}`;
  }

  /** The requests that came for a case, oldest first. */
  seen(name: string): readonly SeenRequest[] {
    return this.#scripts.get(name)?.seen ?? [];
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = "", path = "/"] = /^\/([^/]+)(.*)$/.exec(request.url ?? "") ?? [];
    const script = this.#scripts.get(name);
    if (script === undefined) {
      response.writeHead(404).end(`no case is named ${name}`);
      return;
    }
    script.seen.push({ atMs: performance.now(), headers: request.headers });
    const body = await buffer(request);
    const fault = script.faults.shift() ?? { pass: true };
    if ("pass" in fault) {
      await this.#passOn(request, path, body, (answer) => relay(answer, response));
    } else if ("error" in fault) {
      answerError(response, fault.error, fault.retry_after);
    } else if ("status" in fault) {
      response.writeHead(fault.status, { "Content-Type": "text/html" }).end("<h1>Not from the server</h1>");
    } else if ("cut_after_events" in fault) {
      await this.#passOn(request, path, body, (answer) => relayEvents(answer, response, fault.cut_after_events));
    } else if ("drop" in fault) {
      if (fault.drop === "answer") {
        await this.#passOn(request, path, body, async (answer) => void (await buffer(answer)));
      }
      // After the first bytes of an answer. Without any, some clients send a request again by themselves.
      response.writeHead(200, {
        "Content-Type": request.headers.accept ?? "application/json",
        "Content-Length": 100,
      });
      response.write('{"', () => response.destroy());
    }
    // A fault that hangs answers nothing: the connection ends with the client, or with the proxy.
  }

  async #passOn(
    { method, headers }: IncomingMessage,
    path: string,
    body: Buffer,
    use: (answer: IncomingMessage) => Promise<void>,
  ): Promise<void> {
    const { hostname, port, host } = this.#target;
    const passed = send({ hostname, port, method, path, headers: { ...headers, host } });
    passed.end(body);
    const [answer] = await once(passed, "response");
    await use(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function relay(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on("close", () => answer.destroy());
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  response.flushHeaders();
  for await (const chunk of answer) {
    response.write(chunk);
  }
  response.end();
}

/** Cuts the connection after so many server-sent events with data. */
async function relayEvents(answer: IncomingMessage, response: ServerResponse, count: number): Promise<void> {
  response.on("close", () => answer.destroy());
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  let text = "";
  let passed = 0;
  for await (const chunk of answer) {
    text += String(chunk);
    for (let end = text.indexOf("\n\n"); end !== -1 && passed < count; end = text.indexOf("\n\n")) {
      const event = text.slice(0, end + 2);
      text = text.slice(end + 2);
      passed += /^data:/m.test(event) ? 1 : 0;
      response.write(event);
    }
    if (passed === count) {
      response.write("", () => response.destroy());
      return;
    }
  }
}

/** The error as the reference documents it. */
function answerError(response: ServerResponse, code: string, retryAfter: number | undefined): void {
  if (!isErrorCode(code)) {
    throw new Error(`there is no error ${code}`);
  }
  const { error } = errorBody(code, "http://127.0.0.1/docs/errors") as { readonly error: object };
  const seconds = retryAfter === undefined ? {} : { retry_after: retryAfter };
  response.writeHead(errorKinds[code].httpStatus, {
    "Content-Type": "application/json",
    ...(retryAfter === undefined ? {} : { "Retry-After": `${retryAfter}` }),
  });
  response.end(JSON.stringify({ error: { ...error, ...seconds } }));
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorKinds, code);
}
