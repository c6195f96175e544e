import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A mail server that keeps nothing but the codes. */
export interface MailSink extends AsyncDisposable {
  readonly url: string;
  /** The code of the last mail to an address. */
  readonly codes: ReadonlyMap<string, string>;
  /** How many mails have arrived. */
  readonly received: () => number;
}

/** Speaks as much SMTP as it takes (RFC 5321), so that it costs little beside what is measured. */
export async function openMailSink(): Promise<MailSink> {
  const codes = new Map<string, string>();
  let received = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setEncoding("latin1");
    socket.write("220 bench ESMTP\r\n");
    let text = "";
    let recipient = "";
    let isMail = false;
    const read = (): boolean => {
      const end = text.indexOf(isMail ? "\r\n.\r\n" : "\r\n");
      if (end === -1) {
        return false;
      }
      const line = text.slice(0, end);
      text = text.slice(end + (isMail ? 5 : 2));
      if (isMail) {
        isMail = false;
        received += 1;
        codes.set(recipient, codeIn(line));
        socket.write("250 OK\r\n");
        return true;
      }
      const verb = line.slice(0, 4).toUpperCase();
      recipient = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? recipient;
      isMail = verb === "DATA";
      socket.write(verb === "EHLO" ? "250-bench\r\n250 8BITMIME\r\n" : isMail ? "354 Go on\r\n" : "250 OK\r\n");
      return true;
    };
    socket.on("data", (chunk: string) => {
      text += chunk;
      while (read());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `smtp://127.0.0.1:${port}?ignoreTLS=true`,
    codes,
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}

/** The first number of six digits that stands by itself in the body. */
function codeIn(mail: string): string {
  const body = mail.slice(mail.indexOf("\r\n\r\n"));
  return /(?<![\w=.-])\d{6}(?![\w=-])/.exec(body)?.[0] ?? "";
}
