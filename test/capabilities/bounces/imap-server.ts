import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A mail in the mailbox. */
export interface StoredMail {
  readonly uid: number;
  readonly source: string;
  readonly flags: Set<string>;
  /** Its size as the server tells it, if it is not that of the source. */
  readonly size?: number;
}

/**
 * An IMAP server (RFC 3501) in this process, of one mailbox: as much of it as reading bounces uses, over real connections.
 */
export class ImapServer {
  readonly mails: StoredMail[] = [];
  /** Every command that came, without its tag. */
  readonly commands: string[] = [];
  password = "secret";
  uidValidity = 7;
  /** Cuts the connection instead of carrying out the first command that matches. */
  cutAt: RegExp | undefined;
  /** Waits before each command. */
  beforeCommand: ((command: string) => Promise<void> | void) | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #lastUid = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
      void this.#converse(socket);
    });
  }

  static async open(port = 0): Promise<ImapServer> {
    const server = new ImapServer();
    await once(server.#server.listen(port, "127.0.0.1"), "listening");
    server.#port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  get url(): string {
    return `imap://bounces%40acme.example:secret@127.0.0.1:${this.#port}/INBOX`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** How many mails were read whole. */
  get fetched(): number {
    return this.commands.filter((command) => /BODY\.PEEK\[\]/.test(command)).length;
  }

  add(source: string, size?: number): StoredMail {
    this.#lastUid += 1;
    const mail = { uid: this.#lastUid, source, flags: new Set<string>(), ...(size === undefined ? {} : { size }) };
    this.mails.push(mail);
    return mail;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#server.close();
    await once(this.#server, "close");
  }

  async #converse(socket: Socket): Promise<void> {
    socket.write("* OK IMAP4rev1 ready\r\n");
    let text = "";
    try {
      for await (const chunk of socket) {
        text += chunk.toString("latin1");
        for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
          const [, tag = "", command = ""] = /^(\S+) (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          this.commands.push(command);
          await this.beforeCommand?.(command);
          if (this.cutAt?.test(command) === true) {
            this.cutAt = undefined;
            socket.destroy();
            return;
          }
          socket.write(this.#answer(tag, command), "latin1");
        }
      }
    } catch {
      // The client has cut the connection.
    }
  }

  #answer(tag: string, command: string): string {
    const done = (lines: readonly string[] = [], status = "OK done") =>
      [...lines.map((line) => `* ${line}`), `${tag} ${status}`, ""].join("\r\n");
    if (/^LOGIN /i.test(command)) {
      const isRight = command.includes(`"${this.password}"`) || command.endsWith(` ${this.password}`);
      return isRight ? done() : done([], "NO [AUTHENTICATIONFAILED] no bounces@acme.example here");
    }
    if (/^CAPABILITY/i.test(command)) {
      return done(["CAPABILITY IMAP4rev1"]);
    }
    if (/^LIST /i.test(command)) {
      return done(['LIST () "/" INBOX']);
    }
    if (/^SELECT /i.test(command)) {
      return done([
        `${this.mails.length} EXISTS`,
        "FLAGS (\\Seen)",
        `OK [UIDVALIDITY ${this.uidValidity}] valid`,
        `OK [UIDNEXT ${this.#lastUid + 1}] next`,
      ]);
    }
    if (/^UID SEARCH /i.test(command)) {
      const [, from = "1"] = /UID (\d+):\*/i.exec(command) ?? [];
      const [, smaller = "Infinity"] = /SMALLER (\d+)/i.exec(command) ?? [];
      const newest = this.mails.at(-1)?.uid;
      // As servers do: `n:*` has the newest mail even if its number is below n.
      const found = this.mails.filter(
        (mail) => (mail.uid >= Number(from) || mail.uid === newest) && sizeOf(mail) < Number(smaller),
      );
      return done([`SEARCH ${found.map(({ uid }) => uid).join(" ")}`.trim()]);
    }
    const [, uids = "", items = ""] = /^UID FETCH (\S+) (.*)$/i.exec(command) ?? [];
    if (uids !== "") {
      return done(this.#selected(uids).map((mail) => this.#fetched(mail, items)));
    }
    const [, marked = "", flags = ""] = /^UID STORE (\S+) \S+ \((.*)\)$/i.exec(command) ?? [];
    for (const mail of marked === "" ? [] : this.#selected(marked)) {
      for (const flag of flags.split(" ")) {
        mail.flags.add(flag);
      }
    }
    return done();
  }

  #selected(uids: string): readonly StoredMail[] {
    const ranges = uids.split(",").map((range) => range.split(":").map(Number));
    return this.mails.filter(({ uid }) => ranges.some(([first = 0, last = first]) => uid >= first && uid <= last));
  }

  #fetched(mail: StoredMail, items: string): string {
    const header = /BODY\.PEEK\[(HEADER\.FIELDS \([^)]*\))\]/i.exec(items)?.[1];
    const [, first, length] = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/i.exec(items) ?? [];
    const part =
      header === undefined
        ? mail.source.slice(Number(first ?? 0), Number(first ?? 0) + Number(length ?? mail.source.length))
        : `${/^content-type:.*(\r\n[ \t].*)*/im.exec(mail.source.split("\r\n\r\n", 1)[0] ?? "")?.[0] ?? ""}\r\n\r\n`;
    const name = header === undefined ? `BODY[]<${first ?? 0}>` : `BODY[${header}]`;
    return `${this.mails.indexOf(mail) + 1} FETCH (UID ${mail.uid} ${name} {${part.length}}\r\n${part})`;
  }
}

const sizeOf = ({ size, source }: StoredMail) => size ?? source.length;
