import { Caller } from "./caller.ts";
import { Services } from "./generated/services.ts";
import { type ByondOptions, environmentVariable, isBrowser } from "./options.ts";
import { restTransport } from "./rest-transport.ts";
import { isSandboxKey } from "./sandbox.ts";

/**
 * A client of a Byond server. Make one and keep it: it holds no connection of its own, and calls do not disturb each other.
 *
 * @example
 * ```ts
 * const byond = new Byond(); // BYOND_BASE_URL and BYONDAPI_KEY
 * const { verificationId } = await byond.verify.start({ channel: "email", recipient: "ada@example.com" });
 * const { status } = await byond.verify.check({ verificationId, code: "000000" });
 * ```
 */
export class Byond extends Services {
  readonly #options: ByondOptions;

  /** Whether calls are about the sandbox, by the key or the mode: nothing leaves the server, and codes are zeros (`sandboxCode`). */
  readonly isSandbox: boolean;

  constructor(options: ByondOptions = {}) {
    // A file that a secret is read from may end with a line break.
    const accessToken = options.accessToken?.trim();
    const apiKey =
      accessToken === undefined ? (options.apiKey ?? environmentVariable("BYONDAPI_KEY"))?.trim() : undefined;
    if (apiKey !== undefined && isSecret(apiKey) && isBrowser() && options.dangerouslyAllowBrowser !== true) {
      throw new Error(
        "A secret API key must not be in a browser, where everybody who opens the page can read it. " +
          "Call Byond from your server, or use a publishable key. For a tool that is not public: dangerouslyAllowBrowser.",
      );
    }
    const transport = (options.transport ?? restTransport)({
      baseUrl: baseUrlOf(options),
      fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
      signingKey: options.signRequests === true ? (apiKey ?? accessToken) : undefined,
    });
    super(
      new Caller({
        transport,
        apiKey,
        accessToken,
        mode: options.mode,
        maxRetries: options.maxRetries ?? 2,
        timeoutMs: options.timeoutMs ?? 30_000,
        headers: options.headers ?? {},
      }),
    );
    this.#options = options;
    this.isSandbox = apiKey === undefined ? options.mode === "test" : isSandboxKey(apiKey);
  }

  /**
   * A client with the same options but these: for the calls of a signed-in user, or of another key.
   *
   * @example
   * ```ts
   * const { accessToken } = await byond.auth.signIn({ email, password });
   * const keys = await byond.with({ accessToken }).keys.list();
   * ```
   */
  with(options: ByondOptions): Byond {
    // A key takes the place of an access token. The other way round it does by itself.
    const { accessToken, ...others } = this.#options;
    return new Byond({ ...(options.apiKey === undefined ? this.#options : others), ...options });
  }
}

/** Keys of the data plane are secret. */
function isSecret(apiKey: string): boolean {
  return /^pk_(?:live|test)_/.test(apiKey);
}

function baseUrlOf({ baseUrl }: ByondOptions): string {
  const url = (
    baseUrl ??
    environmentVariable("BYOND_BASE_URL") ??
    environmentVariable("BYOND_URL") ??
    "http://127.0.0.1:8080"
  ).trim();
  if (!/^https?:\/\/[^/?#@]+(?:[/?#]|$)/i.test(url)) {
    // It is not shown: it may have a password.
    throw new TypeError("The base URL must begin with http:// or https://, and have no user.");
  }
  // Also the address of the API itself, as the reference writes it.
  return url.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
}
