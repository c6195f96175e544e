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
 * refrains) or `smtps://…:465` (TLS from the start); `?tls.rejectUnauthorized=false` accepts any certificate. Throws a
 * `TypeError` that names what is wrong, never the password.
 */
export function parseSmtpUrl(text: string): SmtpServer {
  if (!URL.canParse(text)) {
    throw new TypeError("the SMTP URL cannot be read");
  }
  const url = new URL(text);
  const secure = url.protocol === "smtps:";
  if (!secure && url.protocol !== "smtp:") {
    throw new TypeError("the SMTP URL must begin with smtp:// or smtps://");
  }
  if (url.hostname === "") {
    throw new TypeError("the SMTP URL names no host");
  }
  for (const [name, value] of url.searchParams) {
    if (!switches.some((known) => known === name)) {
      throw new TypeError(`the SMTP URL has an unknown parameter "${name}"; known are ${switches.join(", ")}`);
    }
    if (value !== "true" && value !== "false") {
      throw new TypeError(`the SMTP URL's parameter ${name} must be true or false`);
    }
  }
  const user = decode(url.username);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: url.searchParams.get("requireTLS") === "true",
    ignoreTLS: url.searchParams.get("ignoreTLS") === "true",
    verifyCertificate: url.searchParams.get("tls.rejectUnauthorized") !== "false",
    auth: user === "" ? undefined : { user, pass: decode(url.password) },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("the SMTP URL's user or password is not percent-encoded correctly");
  }
}
