import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The adapter of a carrier (docs/guides/delivery.md) that keeps the code of each number, as the phone does. */
export class MessageProvider implements AsyncDisposable {
  readonly codes = new Map<string, string>();
  /** Messages that it was given. */
  arrived = 0;
  /** Whether it takes the message for a number. Default: all. */
  accepts: (recipient: string) => boolean = () => true;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) {
        parts.push(part);
      }
      const { recipient, code } = JSON.parse(Buffer.concat(parts).toString());
      const isAccepted = this.accepts(recipient);
      if (isAccepted) {
        this.codes.set(recipient, code);
        this.arrived += 1;
      }
      response.writeHead(isAccepted ? 200 : 503, { "Content-Type": "application/json" });
      response.end("{}");
    });
  }

  static async open(): Promise<MessageProvider> {
    const provider = new MessageProvider();
    await once(provider.#server.listen(0, "127.0.0.1"), "listening");
    return provider;
  }

  /** The variables that a server sends text messages by it with. */
  get environment(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo;
    return { SMS_URL: `http://127.0.0.1:${port}/`, PROVIDER_SECRET: "a secret of the bench that is long enough" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
