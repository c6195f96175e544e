import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Finding } from "../finding.ts";

const patienceMs = 10_000;

interface Address {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: Tls | undefined;
}

interface Tls {
  readonly verifyCertificate: boolean;
  /** Authorities in PEM, and a certificate of this server's own. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Opens a connection and says nothing on it, where every request would do something, such as send a message. */
export async function checkConnection({ host, port, tls }: Address): Promise<Omit<Finding, "about">> {
  const socket =
    tls === undefined
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          rejectUnauthorized: tls.verifyCertificate,
          ...(tls.ca && { ca: tls.ca }),
          ...(tls.cert && { cert: tls.cert }),
          ...(tls.key && { key: tls.key }),
        });
  const place = `${host}:${port}`;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
      socket.setTimeout(patienceMs, () => reject(new Error("no answer in time")));
    });
    return {
      verdict: "ok",
      found: `${place} can be reached; credentials are not tried`,
    };
  } catch (error) {
    return {
      verdict: "fault",
      found: `${place} cannot be reached: ${messageOf(error)}`,
      advice: "Correct the address, or see why nothing answers there",
    };
  } finally {
    socket.destroy();
  }
}

/** Of a web address. */
export function checkWebAddress(
  address: string,
  tls: Omit<Tls, "verifyCertificate"> = {},
): Promise<Omit<Finding, "about">> {
  const { protocol, hostname, port } = new URL(address);
  const isSecure = protocol === "https:";
  return checkConnection({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    tls: isSecure ? { ...tls, verifyCertificate: true } : undefined,
  });
}

/** A name with several addresses fails with one error for each of them, and no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messageOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
