/** The server's inbox, with the mail that was not really sent. */
import { setTimeout as sleep } from "node:timers/promises";

interface Message {
  readonly recipient: string;
  readonly code: string;
}

export class Inbox {
  readonly #url: string;
  readonly #cookie: string;

  private constructor(url: string, cookie: string) {
    this.#url = url;
    this.#cookie = cookie;
  }

  /** `link` is what the server's banner says; it works once. */
  static async open(link: string): Promise<Inbox> {
    const response = await fetch(link, { redirect: "manual" });
    await response.arrayBuffer();
    const [cookie = ""] = response.headers.get("set-cookie")?.split(";") ?? [];
    return new Inbox(new URL("/dev/inbox", link).href, cookie);
  }

  /** The code that was mailed to an address, once it has arrived. */
  async codeFor(address: string): Promise<string> {
    for (let attempts = 0; attempts < 100; attempts += 1) {
      const response = await fetch(this.#url, { headers: { Accept: "application/json", Cookie: this.#cookie } });
      const messages = (await response.json()) as readonly Message[];
      const code = messages.find(({ recipient }) => recipient === address)?.code;
      if (code !== undefined) {
        return code;
      }
      await sleep(100);
    }
    throw new Error(`no code was mailed to ${address}`);
  }
}
