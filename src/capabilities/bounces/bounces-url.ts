import { isLoopbackHost } from "../../config/loopback-host.ts";

/** A mailbox to which mail that could not be delivered comes back. */
export interface BounceMailboxAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Otherwise STARTTLS, which a server beyond this machine must offer. */
  readonly secure: boolean;
  readonly verifyCertificate: boolean;
  readonly isLoopback: boolean;
  readonly user: string;
  readonly password: string;
  readonly folder: string;
}

const certificateSwitch = "tls.rejectUnauthorized";

/**
 * Reads `imaps://user:password@host:993/INBOX`, or `imap://…:143` (STARTTLS). Without a folder it is `INBOX`;
 * `?tls.rejectUnauthorized=false` accepts any certificate. Throws a `TypeError` that names what is wrong, never the password.
 */
export function parseBouncesUrl(text: string): BounceMailboxAddress {
  if (!/^imaps?:\/\//i.test(text)) {
    throw new TypeError("the URL must begin with imaps:// or imap://");
  }
  if (!URL.canParse(text)) {
    throw new TypeError(
      'the URL must be imaps://user:password@host:port/folder, with special characters percent-encoded: "/" is %2F, "@" is %40',
    );
  }
  const url = new URL(text);
  const secure = url.protocol === "imaps:";
  if (url.hostname === "" || url.port === "0") {
    throw new TypeError(`the URL has no ${url.hostname === "" ? "host" : "port"}`);
  }
  if (url.username === "" || url.password === "") {
    throw new TypeError("the URL must have both a user and a password");
  }
  // Behind the host may stand what was meant as a part of the password.
  if (url.hash !== "" || (url.pathname + url.search).includes("@")) {
    throw new TypeError('the URL must have "/", "?", "#" and "@" percent-encoded in user, password and folder');
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: url.port === "" ? (secure ? 993 : 143) : Number(url.port),
    secure,
    verifyCertificate: readCertificateSwitch(url.searchParams),
    isLoopback: isLoopbackHost(host),
    user: decode(url.username),
    password: decode(url.password),
    folder: decode(url.pathname.replace(/^\//, "")) || "INBOX",
  };
}

function readCertificateSwitch(parameters: URLSearchParams): boolean {
  for (const [name, value] of parameters) {
    if (name !== certificateSwitch) {
      throw new TypeError(`the URL has an unknown parameter "${name}"; known is ${certificateSwitch}`);
    }
    if ((value !== "true" && value !== "false") || parameters.getAll(name).length > 1) {
      throw new TypeError(`the URL's parameter ${name} must be true or false, once`);
    }
  }
  return parameters.get(certificateSwitch) !== "false";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("the URL's user, password or folder is not percent-encoded correctly");
  }
}
