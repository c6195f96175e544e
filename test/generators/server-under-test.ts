import { writeFile } from "node:fs/promises";
import { MainProcess, makeFolder } from "../system/main-process.ts";

const user = { email: "generators@example.com", password: "correct horse battery" };

/** What a client needs to call the server. */
export interface Credentials {
  readonly key: string;
  readonly keyName: string;
  readonly session: string;
}

/** A server as `npm start` runs it, with nothing set but a free port and a folder for its data. Dispose of it. */
export class ServerUnderTest implements AsyncDisposable {
  readonly url: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(url: string, stack: AsyncDisposableStack) {
    this.url = url;
    this.#stack = stack;
  }

  static async start(): Promise<ServerUnderTest> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await makeFolder());
    const main = stack.use(new MainProcess({ environment: { PORT: "0", DATA_DIR: folder.path } }));
    const server = new ServerUnderTest(await main.url(), stack.move());
    await server.#post("/auth/sign-up", { ...user, name: "Generators" });
    return server;
  }

  async writeDocument(path: string): Promise<void> {
    const response = await fetch(`${this.url}/openapi.json`);
    await writeFile(path, await response.text());
  }

  /** A fresh session, since sessions last for minutes, and a sandbox key of its own, so that tools do not share limits. */
  async credentials(keyName: string): Promise<Credentials> {
    const { access_token: session } = await this.#post("/auth/sign-in", user);
    const { key } = await this.#post("/api-keys", { name: keyName, mode: "test" }, session);
    return { key: String(key), keyName, session: String(session) };
  }

  async #post(path: string, body: unknown, session?: unknown): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`POST ${path} returned ${response.status}: ${text}`);
    }
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
