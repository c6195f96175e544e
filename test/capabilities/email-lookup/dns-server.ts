import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Answer, decode, encode, type RecordType } from "dns-packet";

/** What a name has: its records, or how the server fails. `afterMs`: how long the server takes to say it. */
type Zone = Readonly<
  Record<
    string,
    | readonly Answer[]
    | "NXDOMAIN"
    | "SERVFAIL"
    | "silence"
    | { readonly afterMs: number; readonly answers: readonly Answer[] }
  >
>;

/** A DNS server on a port of 127.0.0.1, over UDP. Names that its zone does not have do not exist. */
export class DnsServer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #zone: Zone;
  /** `MX example.com`, in the order in which they came. */
  readonly questions: string[] = [];

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on("message", (message, { port, address }) => this.#answer(message, port, address));
  }

  static async start(zone: Zone): Promise<DnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new DnsServer(socket, zone);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await once(this.#socket, "close");
  }

  #answer(message: Buffer, port: number, address: string): void {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    if (question === undefined) {
      return;
    }
    this.questions.push(`${question.type} ${question.name}`);
    const found = this.#zone[question.name.toLowerCase()] ?? "NXDOMAIN";
    if (found === "silence") {
      return;
    }
    const code = { NXDOMAIN: 3, SERVFAIL: 2 };
    const records = typeof found === "string" ? [] : "answers" in found ? found.answers : found;
    const answers = records.filter(({ type }) => type === question.type);
    const flags = 0x80 | (typeof found === "string" ? code[found] : 0);
    const response = encode({ type: "response", id: id ?? 0, flags, questions, answers });
    const afterMs = typeof found === "object" && "afterMs" in found ? found.afterMs : 0;
    setTimeout(() => this.#socket.send(response, port, address), afterMs);
  }
}

/** A record of the name. */
export function record(name: string, type: RecordType, data: unknown): Answer {
  return { name, type, ttl: 60, data } as Answer;
}
