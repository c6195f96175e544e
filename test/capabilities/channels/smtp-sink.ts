import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** The whole message, with quoted-printable undone. */
  readonly source: string;
  /** As it was sent. */
  readonly raw: string;
  /** The value of a header as it came, unfolded. */
  header(name: string): string;
}

/** What the server does at a stage: throw an error with a `responseCode` to refuse, await to be slow. */
export interface SinkBehaviour {
  onRecipient?(address: string): Promise<void> | void;
  /** Before the message is read. */
  onData?(destroy: () => void): Promise<void> | void;
  /** After it was read, before it is answered. */
  onReceived?(mail: ReceivedMail): Promise<void> | void;
}

/** A mail server in this process that keeps what it accepts. */
export class SmtpSink {
  readonly mails: ReceivedMail[] = [];
  behaviour: SinkBehaviour = {};
  connections = 0;
  readonly #server: SMTPServer;
  readonly #waiters: (() => void)[] = [];
  #port = 0;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      closeTimeout: 50,
      logger: false,
      ...options,
      onConnect: (_session, callback) => {
        this.connections += 1;
        callback();
      },
      onRcptTo: (address, _session, callback) => {
        settle(() => this.behaviour.onRecipient?.(address.address), callback);
      },
      onData: (stream, session, callback) => {
        const destroy = () => {
          for (const connection of this.#server.connections) {
            connection._socket.destroy();
          }
        };
        const receive = async () => {
          await this.behaviour.onData?.(destroy);
          let source = "";
          for await (const chunk of stream) {
            source += chunk;
          }
          const mail = {
            from: session.envelope.mailFrom === false ? "" : session.envelope.mailFrom.address,
            to: session.envelope.rcptTo.map((recipient) => recipient.address),
            source: decodeQuotedPrintable(source),
            raw: source,
            header: (name: string) => headerOf(source, name),
          };
          await this.behaviour.onReceived?.(mail);
          this.mails.push(mail);
          for (const waiter of this.#waiters.splice(0)) {
            waiter();
          }
        };
        settle(receive, callback);
      },
    });
    this.#server.on("error", () => {});
  }

  /** Opens it on any free port, or on that one. */
  static async open(options: SMTPServerOptions = {}, port = 0): Promise<SmtpSink> {
    const sink = new SmtpSink(options);
    const listening = sink.#server.listen(port, "127.0.0.1");
    await new Promise<void>((resolve) => listening.once("listening", resolve));
    const address = listening.address();
    sink.#port = (address as AddressInfo).port;
    return sink;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.#port}?ignoreTLS=true`;
  }

  /** The mails, once there are that many. */
  async received(count: number): Promise<readonly ReceivedMail[]> {
    while (this.mails.length < count) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    return this.mails;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** An answer of the server that refuses. */
export function smtpError(responseCode: number, message = "refused"): Error {
  return Object.assign(new Error(message), { responseCode });
}

function settle(work: () => Promise<void> | void, callback: (error?: Error | null) => void): void {
  Promise.resolve()
    .then(work)
    .then(
      () => callback(),
      (error: Error) => callback(error),
    );
}

function headerOf(source: string, name: string): string {
  const [head = ""] = source.split("\r\n\r\n");
  const lines = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const line = lines.find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}: `));
  return line?.slice(name.length + 2) ?? "";
}

function decodeQuotedPrintable(text: string): string {
  return text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
