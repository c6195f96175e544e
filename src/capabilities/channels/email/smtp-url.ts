/** Where mail is handed over, and how. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Otherwise STARTTLS, where the server offers it. */
  readonly secure: boolean;
  /** Refuses a server that does not offer STARTTLS. */
  readonly requireTLS: boolean;
  /** Goes on in the clear although the server offers STARTTLS. */
  readonly ignoreTLS: boolean;
  /** Whether the server's certificate must be valid for its name. */
  readonly verifyCertificate: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
}

const switches = ["requireTLS", "ignoreTLS", "tls.rejectUnauthorized"] as const;

/**
 * Reads `smtp://user:password@host:587` (STARTTLS where offered; `?requireTLS=true` insists on it, `?ignoreTLS=true`
 * refrains) or `smtps://…:465` (TLS from the start); `?tls.rejectUnauthorized=false` accepts any certificate. What these
 * two ports speak is RFC 8314, §3.3 and §7.3: the one scheme with the port of the other never sends anything. Throws a `TypeError` that names what is wrong, never the password.
 */
export function parseSmtpUrl(text: string): SmtpServer {
  if (!/^smtps?:\/\//i.test(text)) {
    throw new TypeError("the SMTP URL must begin with smtp:// or smtps://");
  }
  if (!URL.canParse(text)) {
    throw new TypeError(
      'the SMTP URL must be smtp://user:password@host:port, with special characters percent-encoded: "/" is %2F, "@" is %40',
    );
  }
  const url = new URL(text);
  const secure = url.protocol === "smtps:";
  if (url.hostname === "" || url.port === "0") {
    throw new TypeError(`the SMTP URL has no ${url.hostname === "" ? "host" : "port"}`);
  }
  if ((url.username === "") !== (url.password === "")) {
    throw new TypeError("the SMTP URL must have both a user and a password, or neither");
  }
  // Behind the host may stand what was meant as a part of the password.
  const hasStrayAt = url.search.includes("@") || (url.username === "" && text.includes("@"));
  if (!/^\/?$/.test(url.pathname) || url.hash !== "" || hasStrayAt) {
    throw new TypeError(
      'the SMTP URL must have "/", "?", "#" and "@" percent-encoded in user and password, and no path',
    );
  }
  if (secure && url.port === "587") {
    throw new TypeError(
      "the SMTP URL has smtps with port 587, where TLS begins with STARTTLS: smtp://…:587?requireTLS=true, or smtps:// without a port",
    );
  }
  if (!secure && url.port === "465") {
    throw new TypeError("the SMTP URL has smtp with port 465, where TLS begins with the first byte: smtps://");
  }
  const { requireTLS, ignoreTLS, verifyCertificate } = readSwitches(url.searchParams);
  if (ignoreTLS && (secure || requireTLS)) {
    throw new TypeError(`the SMTP URL has both ignoreTLS and ${secure ? "smtps" : "requireTLS"}`);
  }
  const user = decode(url.username);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS,
    ignoreTLS,
    verifyCertificate,
    auth: user === "" ? undefined : { user, pass: decode(url.password) },
  };
}

function readSwitches(parameters: URLSearchParams) {
  for (const [name, value] of parameters) {
    if (!switches.some((known) => known === name)) {
      throw new TypeError(`the SMTP URL has an unknown parameter "${name}"; known are ${switches.join(", ")}`);
    }
    if (value !== "true" && value !== "false") {
      throw new TypeError(`the SMTP URL's parameter ${name} must be true or false`);
    }
    if (parameters.getAll(name).length > 1) {
      throw new TypeError(`the SMTP URL has ${name} twice`);
    }
  }
  return {
    requireTLS: parameters.get("requireTLS") === "true",
    ignoreTLS: parameters.get("ignoreTLS") === "true",
    verifyCertificate: parameters.get("tls.rejectUnauthorized") !== "false",
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("the SMTP URL's user or password is not percent-encoded correctly");
  }
}
