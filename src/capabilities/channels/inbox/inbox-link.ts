import { randomBytes } from "node:crypto";
import { equalSecrets } from "../../../crypto/equal-secrets.ts";

/**
 * Browsers tell cookies apart by name and not by port, so that servers on one machine would replace each other's. The port is the one
 * that the browser asked, which a proxy or a container may map.
 */
function cookieNameAt(url: string): string {
  const { port } = new URL(url);
  return port === "" ? "byond_inbox" : `byond_inbox_${port}`;
}

/** What of a request can hold the link's token or its cookie. */
export interface LinkRequest {
  readonly method: string;
  readonly url: string;
  readonly header: Headers;
}

export type LinkOutcome =
  /** The request carries neither. */
  | "absent"
  /** It carries a token that is not the link's, or that was used. */
  | "refused"
  /** With a cookie to set if it was the link that let it in. */
  | { readonly setCookie: string | undefined };

/**
 * The link to the inbox that the start banner prints: a browser exchanges its token for a cookie, once. The link is worthless
 * then, wherever it was kept: in the browser's history, a terminal's scrollback, a log. The cookie holds until the browser is
 * closed or the server ends.
 */
export class InboxLink {
  readonly #inboxUrl: URL;
  readonly #cookie = randomBytes(32).toString("base64url");
  /** Undefined: used. */
  #token: string | undefined;
  /** To be appended to the address of the inbox. */
  readonly query: string;

  /** `inboxUrl` is the inbox's address as browsers know it; its host and port do not matter. */
  constructor(inboxUrl: URL) {
    this.#inboxUrl = inboxUrl;
    this.#token = randomBytes(32).toString("base64url");
    this.query = `?token=${this.#token}`;
  }

  /** Lets a request in that carries the token, for the first time, or the cookie. */
  admit(request: LinkRequest): LinkOutcome {
    if (this.#hasCookie(request)) {
      return { setCookie: undefined };
    }
    const presented = new URL(request.url).searchParams.get("token");
    if (presented === null) {
      return "absent";
    }
    // HEAD, which link checkers use, must not spend the token.
    if (this.#token === undefined || request.method !== "GET" || !equalSecrets(presented, this.#token)) {
      return "refused";
    }
    this.#token = undefined;
    return { setCookie: this.#cookieHeader(request.url) };
  }

  #hasCookie({ url, header }: LinkRequest): boolean {
    // Sites do not differ by port, so SameSite does not keep out pages of other servers on this machine.
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
