import { equalSecrets } from "../../../crypto/equal-secrets.ts";
import type { SharedState } from "../../../workers/shared-state.ts";

/**
 * Browsers share cookies between the ports of a host, so the name contains the port: otherwise servers on one machine would replace
 * each other's cookies. It is the port that the browser used, which a proxy or a container may map.
 */
function cookieNameAt(url: string): string {
  const { port } = new URL(url);
  return port === "" ? "byond_inbox" : `byond_inbox_${port}`;
}

/** The parts of a request that can contain the link's token or its cookie. */
export interface LinkRequest {
  readonly method: string;
  readonly url: string;
  readonly header: Headers;
}

export type LinkOutcome =
  /** The request carries neither. */
  | "absent"
  /** It carries a wrong or used token. */
  | "refused"
  /** Admitted. `setCookie` is set if the token was used just now. */
  | { readonly setCookie: string | undefined };

/**
 * The link to the inbox that the start banner prints. A browser exchanges its token for a cookie, once: copies of the link in
 * the browser's history, a terminal or a log are worthless afterwards. The cookie is valid until the browser is
 * closed or the server stops. Every process of the server has the same token and the same cookie.
 */
export class InboxLink {
  readonly #inboxUrl: URL;
  readonly #cookie: string;
  readonly #token: string;
  readonly #state: Pick<SharedState, "claim">;
  /** Append it to the URL of the inbox. */
  readonly query: string;

  private constructor(inboxUrl: URL, state: Pick<SharedState, "claim">, token: string, cookie: string) {
    this.#inboxUrl = inboxUrl;
    this.#state = state;
    this.#token = token;
    this.#cookie = cookie;
    this.query = `?token=${token}`;
  }

  /** `inboxUrl` is the inbox's address as browsers know it; its host and port do not matter. */
  static async create(inboxUrl: URL, state: Pick<SharedState, "claim" | "secret">): Promise<InboxLink> {
    return new InboxLink(inboxUrl, state, await state.secret("inbox token"), await state.secret("inbox cookie"));
  }

  /** Admits a request with the unused token, or with the cookie. */
  async admit(request: LinkRequest): Promise<LinkOutcome> {
    if (this.#hasCookie(request)) {
      return { setCookie: undefined };
    }
    const presented = new URL(request.url).searchParams.get("token");
    if (presented === null) {
      return "absent";
    }
    // HEAD, which link checkers use, must not use up the token.
    if (request.method !== "GET" || !equalSecrets(presented, this.#token)) {
      return "refused";
    }
    if (!(await this.#state.claim("inbox token"))) {
      return "refused";
    }
    return { setCookie: this.#cookieHeader(request.url) };
  }

  #hasCookie({ url, header }: LinkRequest): boolean {
    // SameSite ignores the port, so it does not keep out pages of other servers on this machine.
    const site = header.get("sec-fetch-site");
    if (site !== null && site !== "same-origin" && site !== "none") {
      return false;
    }
    const expected = `${cookieNameAt(url)}=${this.#cookie}`;
    const cookies = (header.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
    return cookies.some((cookie) => cookie.length === expected.length && equalSecrets(cookie, expected));
  }

  #cookieHeader(requestUrl: string): string {
    const { pathname, protocol } = this.#inboxUrl;
    const secure = protocol === "https:" ? "; Secure" : "";
    return `${cookieNameAt(requestUrl)}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=${pathname}${secure}`;
  }
}
