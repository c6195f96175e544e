import { isIP } from "node:net";
import { isLoopbackHost } from "../config/loopback-host.ts";
import { AppError } from "../errors.ts";

/** The header with which a page of this server says that its session is in the cookie. No form and no other origin can send it. */
const sessionHeader = "byond-session";

/** A call as it was received. Its `url` is asked for only if the call is about the cookie. */
interface ReceivedCall {
  readonly url: string;
}

/** The tokens of a session. */
export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

interface Options {
  /** Public base URL, where one was set. */
  readonly publicUrl: string | undefined;
  /** Whether proxies in front say how browsers reached them (`X-Forwarded-Proto`). */
  readonly hasProxies: boolean;
}

/**
 * The sessions of browsers: tokens in a cookie that no script can read. A call is about the cookie if it has the header
 * `Byond-Session: cookie`, which only a page of this server can send: CORS never allows it. Whoever has the cookie alone has nothing.
 *
 * The host has to be the one of `PUBLIC_URL`, or else an IP address or a name of this machine: a name that somebody else has pointed
 * at this server (DNS rebinding) makes a page of theirs look like one of ours.
 */
export class SessionCookies {
  readonly #publicUrl: URL | undefined;
  readonly #hasProxies: boolean;

  constructor({ publicUrl, hasProxies }: Options) {
    this.#publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl);
    this.#hasProxies = hasProxies;
  }

  /**
   * The cookie that a call is about. Undefined for a call without the header, whatever cookies it has. Throws `invalid_api_key` for a
   * call that does not come from a page of this server, and `invalid_request` for another value of the header.
   */
  ofCall(header: Headers, call: ReceivedCall): SessionCookie | undefined {
    const named = header.get(sessionHeader);
    if (named === null) {
      return undefined;
    }
    if (named !== "cookie") {
      throw new AppError("invalid_request", 'The header Byond-Session must be "cookie".');
    }
    const origin = this.#originOf(header, call);
    const site = header.get("sec-fetch-site");
    // Browsers leave the header out where a page came without TLS from another machine, and Origin from a GET.
    if (site === null ? originOfPage(header) !== origin.origin : site !== "same-origin") {
      throw new AppError("invalid_api_key", "A session in a cookie is only taken from pages of this server.");
    }
    return new SessionCookie(origin);
  }

  /** The cookie of the browser that opens a page. Throws `invalid_api_key` for an unknown host. */
  ofPage(header: Headers, page: ReceivedCall): SessionCookie {
    return new SessionCookie(this.#originOf(header, page));
  }

  /** The origin of this server, as the browser knows it. */
  #originOf(header: Headers, { url }: ReceivedCall): URL {
    const received = new URL(url);
    if (this.#publicUrl !== undefined) {
      if (received.hostname !== this.#publicUrl.hostname) {
        throw new AppError(
          "invalid_api_key",
          `A session in a cookie is only taken at the address of PUBLIC_URL, which is ${this.#publicUrl.origin}. A proxy in front has to pass the Host header on.`,
        );
      }
      return this.#publicUrl;
    }
    const host = received.hostname.replace(/^\[|\]$/g, "");
    if (!isLoopbackHost(host) && isIP(host) === 0) {
      throw new AppError(
        "invalid_api_key",
        "A session in a cookie is only taken at an IP address or at localhost, unless PUBLIC_URL names the server.",
      );
    }
    // Who lies here gets a cookie that their own browser does not keep.
    if (this.#hasProxies && /\bhttps\b/i.test(header.get("x-forwarded-proto") ?? "")) {
      return new URL(`https://${received.host}`);
    }
    return received;
  }
}

/** The origin of the page that a call comes from, as far as the browser says. The console's pages send a Referer to their own origin. */
function originOfPage(header: Headers): string | undefined {
  const named = header.get("origin");
  if (named !== null) {
    return named;
  }
  const page = header.get("referer") ?? "";
  return URL.canParse(page) ? new URL(page).origin : undefined;
}

/** What no token has. */
const separator = "~";

/** The cookie of one browser. */
export class SessionCookie {
  readonly #name: string;
  readonly #attributes: string;

  constructor({ protocol, port }: Pick<URL, "protocol" | "port">) {
    const isSecure = protocol === "https:";
    // Browsers share cookies between the ports of a host: servers on one machine would replace each other's.
    this.#name = isSecure ? "__Host-byond_session" : port === "" ? "byond_session" : `byond_session_${port}`;
    this.#attributes = `HttpOnly; SameSite=Strict; Path=/${isSecure ? "; Secure" : ""}`;
  }

  /** The tokens that a request carries. Undefined if it has none, or two different cookies, of which one is somebody else's. */
  read(header: Headers): SessionTokens | undefined {
    const start = `${this.#name}=`;
    const cookies = (header.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
    const [value, ...others] = new Set(cookies.filter((cookie) => cookie.startsWith(start)));
    const [accessToken = "", refreshToken = "", ...rest] = value?.slice(start.length).split(separator) ?? [];
    return accessToken === "" || refreshToken === "" || rest.length > 0 || others.length > 0
      ? undefined
      : { accessToken, refreshToken };
  }

  /** The value of `Set-Cookie` that keeps the tokens. */
  write({ accessToken, refreshToken }: SessionTokens, maxAgeSeconds: number): string {
    const value = `${accessToken}${separator}${refreshToken}`;
    return `${this.#name}=${value}; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}; ${this.#attributes}`;
  }

  /** The value of `Set-Cookie` that forgets them. */
  clear(): string {
    return `${this.#name}=; Max-Age=0; ${this.#attributes}`;
  }
}

/** The error of a call whose session is not in the cookie. */
export function noSessionInCookie(): AppError {
  return new AppError("invalid_api_key", "There is no session in the cookie. Sign in.");
}
