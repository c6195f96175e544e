import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { setTimeout as pause } from "node:timers/promises";

/** A port of this machine that speaks TLS as `localhost`. */
export interface SecureTarget {
  readonly port: number;
  readonly authority: Buffer;
}

export interface SecureAnswer {
  readonly status: number | undefined;
  readonly text: string;
}

export interface SecureCall {
  readonly method?: string;
  readonly key?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address of this machine that it comes from. */
  readonly from?: string;
}

/** A client over HTTP/1.1 that keeps its connections, and repeats nothing. */
export class SecureClient {
  readonly #target: SecureTarget;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(target: SecureTarget) {
    this.#target = target;
  }

  /** Rejects if there is no whole answer. */
  async call(path: string, call: SecureCall = {}): Promise<SecureAnswer> {
    const response = await this.#request(path, call);
    let text = "";
    for await (const part of response.setEncoding("utf8")) {
      text += part;
    }
    return { status: response.statusCode, text };
  }

  /** The status of an answer that need not end. */
  async headOf(path: string, call: SecureCall = {}): Promise<number | undefined> {
    const response = await this.#request(path, call);
    response.destroy();
    return response.statusCode;
  }

  async #request(path: string, { method = "GET", key, body, headers, from = "127.0.0.1" }: SecureCall) {
    const call = request({
      host: "127.0.0.1",
      servername: "localhost",
      port: this.#target.port,
      ca: this.#target.authority,
      agent: this.#agent,
      localAddress: from,
      method,
      path,
      headers: {
        Host: `localhost:${this.#target.port}`,
        ...(key === undefined ? {} : { "X-API-Key": key }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(call, "response");
    if (response === undefined) {
      throw new Error("no answer");
    }
    return response;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Resolves when `/readyz` answers 200. */
export async function untilReady(target: SecureTarget): Promise<void> {
  using client = new SecureClient(target);
  const isReady = () =>
    client.call("/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isReady())) {
    await pause(50);
  }
}
