import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Finding } from "../../finding.ts";
import type { HttpAnswer } from "./http/http-post.ts";

/** What a look at a provider showed, without a message being sent. */
export type ProviderCheck = Omit<Finding, "about">;

/** How long a look may take. */
export const checkTimeoutMs = 10_000;

/**
 * What the answer to a harmless request with the credentials of a message means. `isRefusal` tells whether the provider does not take them,
 * where that shows in something else than 401 or 403.
 */
export function judgeAnswer(answer: HttpAnswer, isRefusal = (_body: unknown, _status: number) => false): ProviderCheck {
  if (answer.kind === "unanswered") {
    return {
      verdict: "fault",
      found: answer.reason,
      advice: "Look at names, routes and firewalls between here and there",
    };
  }
  const { status, body } = answer;
  if (status === 401 || status === 403 || isRefusal(body, status)) {
    return { verdict: "fault", found: `the provider refused the credentials (${status})`, advice: "Correct them" };
  }
  return status >= 200 && status < 300
    ? { verdict: "ok", found: "the provider takes the credentials" }
    : {
        verdict: "warning",
        found: `the provider answered ${status} to a question about the account`,
        advice: "Look at its status page, and try again",
      };
}

export interface ProviderAddress {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: { readonly verifyCertificate: boolean } | undefined;
}

/** Opens a connection to a provider and says nothing on it, where every request would be one to send a message. */
export async function checkConnection({ host, port, tls }: ProviderAddress): Promise<ProviderCheck> {
  const socket =
    tls === undefined
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          rejectUnauthorized: tls.verifyCertificate,
        });
  const place = `${host}:${port}`;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
      socket.setTimeout(checkTimeoutMs, () => reject(new Error("no answer in time")));
    });
    return {
      verdict: "ok",
      found: `${place} can be reached; its credentials are not tried, since only a message has them`,
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
export function checkWebAddress(address: string): Promise<ProviderCheck> {
  const { protocol, hostname, port } = new URL(address);
  const isSecure = protocol === "https:";
  return checkConnection({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    tls: isSecure ? { verifyCertificate: true } : undefined,
  });
}

/** A name with several addresses fails with one error for each of them, and no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messageOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
