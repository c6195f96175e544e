import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished, vi } from "vitest";

/** A request that a receiver got. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly event: any;
}

/** What it answers: a status, or nothing for as long as it runs. */
export type Behaviour = number | "stalls";

/** A real receiver of webhooks on this machine, for one test. It answers 200 unless told otherwise. */
export class Receiver {
  readonly received: Received[] = [];
  behaviour: Behaviour = 200;
  readonly #stalled: ServerResponse[] = [];
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.start();
    onTestFinished(() => receiver.stop());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  /** Starts again at the same port. */
  async start(): Promise<void> {
    this.#server = createServer(this.#onRequest);
    await once(this.#server.listen(this.#port, "127.0.0.1"), "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** Answers what it did not answer so far. */
  answerStalled(status: number): void {
    for (const response of this.#stalled.splice(0)) {
      response.writeHead(status).end();
    }
  }

  /** The types of the events that it got, in their order. */
  get types(): string[] {
    return this.received.map(({ event }) => event.type);
  }

  /** Waits until it has got so many requests, and returns the last of them. */
  async got(count: number): Promise<Received> {
    return vi.waitFor(
      () => {
        const last = this.received[count - 1];
        if (last === undefined) {
          throw new Error(`${this.received.length} requests arrived, not ${count}`);
        }
        return last;
      },
      { timeout: 15_000, interval: 20 },
    );
  }

  readonly #onRequest: RequestListener = async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    this.received.push({ headers: request.headers, body, event: body === "" ? null : JSON.parse(body) });
    if (this.behaviour === "stalls") {
      this.#stalled.push(response);
    } else {
      response.writeHead(this.behaviour).end(`answer ${this.received.length}`);
    }
  };
}
