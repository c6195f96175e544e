import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";

/** What one attempt gets. `silence`: no answer at all. */
export type WhatsappTrouble =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | "silence"
  | "hang up";

/** WhatsApp's interface, as far as sending needs it: takes messages, unless there is trouble with their recipient. */
export class WhatsappFake implements AsyncDisposable {
  /** By recipient: the texts of the messages that were taken. */
  readonly taken = new Map<string, string[]>();
  /** By recipient: what the next attempts get instead. */
  readonly troubles = new Map<string, WhatsappTrouble[]>();
  /** By recipient: the id of the last message that was taken. */
  readonly ids = new Map<string, string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) {
        text += chunk;
      }
      const message: { to: string; template: { components: { parameters: { text: string }[] }[] } } = JSON.parse(text);
      const trouble = this.troubles.get(message.to)?.shift();
      if (trouble === "hang up") {
        request.socket.destroy();
      } else if (trouble !== undefined && trouble !== "silence") {
        response.writeHead(trouble.status, trouble.headers).end(trouble.body);
      } else if (trouble === undefined) {
        const code = message.template.components[0]?.parameters[0]?.text ?? "";
        this.taken.set(message.to, [...(this.taken.get(message.to) ?? []), code]);
        response.writeHead(200).end(JSON.stringify({ messages: [{ id: this.#idFor(message.to) }] }));
      }
    });
  }

  static async open(): Promise<WhatsappFake> {
    const fake = new WhatsappFake();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  /** As WhatsApp makes them: in Base64, the recipient's number and what is random. */
  #idFor(recipient: string): string {
    const id = `wamid.${Buffer.from(`\x1c\x18\x0b${recipient.slice(1)}\x15\x02${randomUUID()}`).toString("base64")}`;
    this.ids.set(recipient, id);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
