import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import smpp, { type PDU, type Session } from "smpp";

/** What the SMSC does with a request. Undefined: it accepts it. `silent`: it never answers. */
export interface SmscBehaviour {
  readonly onBind?: (pdu: PDU) => { readonly status: number } | "silent";
  readonly onSubmit?: (pdu: PDU, count: number) => { readonly status?: number; readonly messageId?: string } | "silent";
  readonly onEnquireLink?: () => "silent";
}

/** An SMSC in this process, of the library's server side. It keeps what it gets, and accepts everything unless told otherwise. */
export class SmscFake implements AsyncDisposable {
  readonly binds: PDU[] = [];
  readonly submits: PDU[] = [];
  /** Responses to what the SMSC sent, and nacks. */
  readonly answers: PDU[] = [];
  enquiries = 0;
  unbinds = 0;
  behaviour: SmscBehaviour = {};
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  readonly #unanswered: (() => void)[] = [];
  #sequence = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(
    options: { readonly port?: number; readonly key?: Buffer; readonly cert?: Buffer } = {},
  ): Promise<SmscFake> {
    const { port = 0, ...tls } = options;
    const server = smpp.createServer(tls, (session) => fake.#serve(session));
    const fake: SmscFake = new SmscFake(server);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo;
    return address.port;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Sends a request over a connection (the newest), and resolves with the status of the answer. */
  async request(command: string, fields: Readonly<Record<string, string | number | Buffer>> = {}): Promise<number> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    this.write(new smpp.PDU(command, { ...fields, sequence_number: sequence }).toBuffer());
    return (await this.answerTo(sequence)).command_status;
  }

  async answerTo(sequence: number): Promise<PDU> {
    for (;;) {
      const answer = this.answers.find((pdu) => pdu.sequence_number === sequence);
      if (answer !== undefined) {
        return answer;
      }
      await this.#nextPdu();
    }
  }

  /** Sends octets, whatever they are. */
  write(octets: Buffer): void {
    [...this.#sessions].at(-1)?.socket.write(octets);
  }

  /** Answers the messages that it left without an answer. */
  answerSubmits(): void {
    for (const answer of this.#unanswered.splice(0)) {
      answer();
    }
  }

  /** Cuts all connections. */
  cut(): void {
    for (const { socket } of this.#sessions) {
      socket.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  readonly #waiters: (() => void)[] = [];

  #nextPdu(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #serve(session: Session): void {
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    session.on("error", () => {});
    session.on("pdu", (pdu) => {
      this.#take(session, pdu);
      for (const wake of this.#waiters.splice(0)) {
        wake();
      }
    });
  }

  #take(session: Session, pdu: PDU): void {
    if (pdu.isResponse()) {
      this.answers.push(pdu);
      return;
    }
    const { onBind, onSubmit, onEnquireLink } = this.behaviour;
    const answer = (status: number, fields = {}) => session.send(pdu.response({ ...fields, command_status: status }));
    switch (pdu.command) {
      case "submit_sm": {
        this.submits.push(pdu);
        const messageId = `id-${this.submits.length}`;
        const result = onSubmit?.(pdu, this.submits.length) ?? {};
        if (result === "silent") {
          this.#unanswered.push(() => answer(0, { message_id: messageId }));
        } else {
          answer(result.status ?? 0, { message_id: result.messageId ?? messageId });
        }
        return;
      }
      case "enquire_link":
        this.enquiries += 1;
        if (onEnquireLink?.() !== "silent") {
          answer(0);
        }
        return;
      case "unbind":
        this.unbinds += 1;
        answer(0);
        return;
      default: {
        this.binds.push(pdu);
        const result = onBind?.(pdu) ?? { status: 0 };
        if (result !== "silent") {
          answer(result.status, { system_id: "smsc" });
        }
      }
    }
  }
}
