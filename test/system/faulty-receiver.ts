import { once } from "node:events";
import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { makeCertificate } from "../support/certificates.ts";

/** A request that arrived. */
export interface Arrival {
  readonly id: string;
  readonly body: string;
  readonly atMs: number;
  readonly isAnswered: boolean;
}

/** What becomes of a request. */
export type Reaction = "accepts" | "fails" | "stalls";

export interface FaultyReceiverOptions {
  readonly react: (arrived: number) => Reaction;
  /** Throws if the signature is not valid. */
  readonly verify: (body: string, headers: IncomingHttpHeaders) => void;
}

const authority = makeCertificate({ commonName: "authority", isAuthority: true });
const certificate = makeCertificate({ commonName: "receiver", names: ["127.0.0.1"], issuer: authority });

/** What the servers have to trust, in PEM. */
export const receiverAuthority = authority.cert;

/** A receiver of webhooks over TLS, which fails as often as it is told to, and can be restarted. It keeps what arrived. */
export class FaultyReceiver implements AsyncDisposable {
  /** By `webhook-id`. */
  readonly arrivals = new Map<string, Arrival[]>();
  /** What was wrong with requests. */
  readonly problems: string[] = [];
  readonly reactions = { accepts: 0, fails: 0, stalls: 0 };
  restarts = 0;
  readonly #options: FaultyReceiverOptions;
  #server: Server | undefined;
  #port = 0;

  private constructor(options: FaultyReceiverOptions) {
    this.#options = options;
  }

  static async start(options: FaultyReceiverOptions): Promise<FaultyReceiver> {
    const receiver = new FaultyReceiver(options);
    await receiver.#listen();
    return receiver;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}/hook`;
  }

  /** Cuts all connections and refuses others for a while, as a process does that is restarted. */
  async restart(downMs: number, pause: (ms: number) => Promise<unknown>): Promise<void> {
    this.restarts += 1;
    await this.#close();
    await pause(downMs);
    await this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #listen(): Promise<void> {
    this.#server = createServer({ cert: certificate.cert, key: certificate.key }, this.#onRequest);
    await once(this.#server.listen(this.#port, "127.0.0.1"), "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  readonly #onRequest: RequestListener = async (request, response) => {
    const body = await request.toArray().then(
      (chunks) => Buffer.concat(chunks).toString(),
      // Its server was killed, or this receiver restarted.
      () => undefined,
    );
    if (body === undefined) {
      return;
    }
    const reaction = this.#options.react(this.arrivals.size);
    this.reactions[reaction] += 1;
    this.#keep(body, request.headers, reaction === "accepts");
    if (reaction !== "stalls") {
      response.writeHead(reaction === "accepts" ? 204 : 500).end();
    }
  };

  #keep(body: string, headers: IncomingHttpHeaders, isAnswered: boolean): void {
    const id = String(headers["webhook-id"]);
    try {
      this.#options.verify(body, headers);
      if (JSON.parse(body).id !== id) {
        throw new Error("the webhook-id is not that of the event");
      }
    } catch (error) {
      this.problems.push(`${id}: ${error}`);
    }
    const arrivals = this.arrivals.get(id) ?? [];
    this.arrivals.set(id, arrivals);
    arrivals.push({ id, body, atMs: Date.now(), isAnswered });
  }
}
