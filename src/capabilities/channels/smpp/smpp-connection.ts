import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Timers } from "../../../outbox/timers.ts";
import { meaningOfStatus, statuses } from "./command-status.ts";
import { PendingRequests, type SmppAnswer } from "./pending-requests.ts";
import {
  FramingError,
  type PduFields,
  PduReader,
  type ReceivedPdu,
  readPdu,
  requestOctets,
  responseOctets,
} from "./smpp-pdu.ts";

export type BindMode = "transceiver" | "transmitter" | "receiver";

export interface SmppConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: { readonly verifyCertificate: boolean } | undefined;
  readonly mode: BindMode;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** How often the SMSC is asked whether it is there. */
  readonly enquireLinkMs: number;
  readonly timeouts: SmppTimeouts;
  readonly timers: Timers;
  /** Takes a receipt or a message of a person. Returns the status to answer with. Never rejects. */
  readonly onDelivery: (fields: Readonly<Record<string, unknown>>) => Promise<number>;
}

export interface SmppTimeouts {
  /** From the first packet until the SMSC has accepted the bind. */
  readonly bindMs: number;
  readonly responseMs: number;
  /** How long the end of a connection may take: what is under way, and the SMSC's answer to `unbind`. */
  readonly unbindMs: number;
}

/** The SMSC did not accept the bind, or could not be reached. */
export class BindError extends Error {
  override readonly name = "BindError";
  /** Undefined if the SMSC did not answer. */
  readonly status: number | undefined;

  constructor(reason: string, status?: number) {
    super(reason);
    this.status = status;
  }
}

/** Receipts and messages of one connection that are being recorded. The SMSC is told to send more of them later. */
const maxDeliveries = 100;

/** What the SMSC has not read. It answers requests of ours, and reads little: more means that it reads nothing. */
const maxUnreadBytes = 1024 * 1024;

/** How long the last octets, such as the answer to an unbind, may take. */
const lastWriteMs = 1_000;

/**
 * One connection to an SMSC. Only the coding of PDUs is the library's: its `Session` stops reading for ever after one PDU that it cannot
 * read, and never ends a request that is not answered.
 *
 * States:
 *
 * - **binding**: from `open` until the SMSC accepts the bind.
 * - **bound**: requests are sent, and enquire_link.
 * - **unbinding**: `close` was called. What is under way is still answered.
 * - **closed**: the connection has ended, for `reason`. All requests are answered.
 *
 * Transitions: binding → bound → unbinding → closed; binding, bound and unbinding → closed when the connection ends, when the SMSC unbinds,
 * when it sends what is no PDU, when it reads nothing more, and when it does not answer an enquire_link or the bind in time.
 */
export class SmppConnection {
  readonly #options: SmppConnectionOptions;
  readonly #socket: Socket;
  readonly #reader = new PduReader();
  readonly #pending: PendingRequests;
  readonly #closed = Promise.withResolvers<string>();
  #deliveries = 0;
  #isClosed = false;
  #stopEnquiring = () => {};

  private constructor(options: SmppConnectionOptions) {
    const { host, port, tls } = options;
    this.#options = options;
    this.#pending = new PendingRequests(options.timers);
    this.#socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ host, port, rejectUnauthorized: tls.verifyCertificate }).setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // `code`, since the message has addresses in it.
    this.#socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#end(`the connection failed (${error.code ?? "error"})`),
    );
    this.#socket.on("close", () => this.#end("the SMSC closed the connection"));
  }

  /** Connects and binds. Throws `BindError`; also when the signal aborts. */
  static async open(options: SmppConnectionOptions, signal: AbortSignal): Promise<SmppConnection> {
    const connection = new SmppConnection(options);
    const { timers, timeouts, mode, systemId, password, systemType } = options;
    const end = (reason: string) => () => connection.#end(reason);
    const cancel = timers.after(timeouts.bindMs, end("the SMSC did not accept the connection in time"));
    const abort = end("the server stops");
    signal.addEventListener("abort", abort);
    if (signal.aborted) {
      abort();
    }
    const fields = { system_id: systemId, password, system_type: systemType, interface_version: 0x34 };
    const answer = await connection.#request(`bind_${mode}`, fields, timeouts.bindMs);
    cancel();
    signal.removeEventListener("abort", abort);
    if (answer.kind === "unanswered") {
      throw new BindError(answer.reason);
    }
    if (answer.status !== 0) {
      connection.#end("the SMSC refused the bind");
      throw new BindError(`the SMSC refused the bind (${meaningOfStatus(answer.status).name})`, answer.status);
    }
    connection.#enquireRegularly();
    return connection;
  }

  /** Resolves with the reason when the connection has ended. */
  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  /** Submits a message, and waits for the answer. Never rejects. */
  async submit(fields: PduFields): Promise<SmppAnswer> {
    const { responseMs } = this.#options.timeouts;
    const answer = await this.#request("submit_sm", fields, responseMs);
    if (answer.kind === "unanswered") {
      // Is it slow, or is nobody there?
      void this.#enquire();
    } else if (answer.status === statuses.notBound) {
      this.#end("the SMSC says that the connection is not bound");
    }
    return answer;
  }

  /** Waits for the answers to what is under way, unbinds, and closes the connection, all within `timeouts.unbindMs`. */
  async close(): Promise<void> {
    this.#stopEnquiring();
    const { timers, timeouts } = this.#options;
    const cancel = timers.after(timeouts.unbindMs, () => this.#end("the server stops"));
    await this.#pending.allSettled();
    await this.#request("unbind", {}, timeouts.unbindMs);
    cancel();
    this.#end("the server stops");
  }

  async #request(command: string, fields: PduFields, timeoutMs: number): Promise<SmppAnswer> {
    if (this.#isClosed) {
      return { kind: "unanswered", reason: "the connection to the SMSC is lost" };
    }
    const { sequence, answer } = this.#pending.add(command, timeoutMs);
    this.#write(requestOctets(command, sequence, fields));
    return answer;
  }

  #enquireRegularly(): void {
    this.#stopEnquiring = this.#options.timers.after(this.#options.enquireLinkMs, () => {
      void this.#enquire();
      this.#enquireRegularly();
    });
  }

  async #enquire(): Promise<void> {
    const answer = await this.#request("enquire_link", {}, this.#options.timeouts.responseMs);
    if (answer.kind === "unanswered") {
      this.#end("the SMSC does not answer");
    }
  }

  #receive(chunk: Buffer): void {
    try {
      for (const octets of this.#reader.read(chunk)) {
        this.#handle(readPdu(octets));
      }
    } catch (error) {
      if (!(error instanceof FramingError)) {
        throw error;
      }
      this.#write(this.#nack(0, statuses.invalidLength));
      this.#end(`the SMSC sent ${error.message}`);
    }
  }

  #handle(pdu: ReceivedPdu): void {
    if (this.#isClosed) {
      return;
    }
    if (pdu.isResponse) {
      this.#pending.settle(pdu);
      return;
    }
    switch (pdu.command) {
      case "deliver_sm":
      case "data_sm":
        void this.#deliver(pdu);
        return;
      case "enquire_link":
        this.#write(responseOctets(pdu, 0));
        return;
      case "unbind":
        this.#write(responseOctets(pdu, 0));
        this.#end("the SMSC unbound the connection");
        return;
      case "alert_notification":
      case "outbind":
        return;
      default:
        this.#write(this.#nack(pdu.sequence, statuses.invalidCommand));
    }
  }

  async #deliver(pdu: ReceivedPdu): Promise<void> {
    this.#deliveries += 1;
    const status = await this.#statusOf(pdu);
    this.#deliveries -= 1;
    this.#write(responseOctets(pdu, status));
  }

  async #statusOf({ fields }: ReceivedPdu): Promise<number> {
    if (fields === undefined) {
      return statuses.permanentError;
    }
    return this.#deliveries > maxDeliveries ? statuses.temporaryError : await this.#options.onDelivery(fields);
  }

  #nack(sequence: number, status: number): Buffer {
    return requestOctets("generic_nack", sequence, { command_status: status });
  }

  #write(octets: Buffer): void {
    if (this.#isClosed) {
      return;
    }
    this.#socket.write(octets);
    if (this.#socket.writableLength > maxUnreadBytes) {
      this.#end("the SMSC reads nothing");
    }
  }

  #end(reason: string): void {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.#stopEnquiring();
    // What is still to be written goes out, if the SMSC reads it.
    this.#socket.destroySoon();
    this.#socket.once(
      "close",
      this.#options.timers.after(lastWriteMs, () => this.#socket.destroy()),
    );
    this.#pending.settleAll(reason);
    this.#closed.resolve(reason);
  }
}
