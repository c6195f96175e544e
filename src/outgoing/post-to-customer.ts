import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { type DestinationRules, isAllowedDestination } from "./allowed-destination.ts";
import { addressesWithoutDns, hostOf } from "./customer-url.ts";
import { type ResolveAddresses, resolveAddresses } from "./resolve-addresses.ts";

/** A request to a URL that a customer gave. */
export interface CustomerPost {
  /** One that `customerUrlProblem` accepted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** What came back. Reasons hold nothing that the receiver wrote. */
export type CustomerAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The first `keptBytes` of the body, as text that PostgreSQL can store. */
      readonly body: string;
    }
  | { readonly kind: "unanswered"; readonly reason: string };

export interface CustomerPosterOptions {
  readonly rules: DestinationRules;
  /** Default: DNS. */
  readonly resolve?: ResolveAddresses;
  /** How long an attempt may take, from the look-up of the name to the answer. Default 15 s. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 15_000;
/** How long the body of an answer may take, of which only the beginning is kept. */
const bodyTimeoutMs = 2_000;
const keptBytes = 1_024;
const maxHeaderBytes = 8_192;
/** A name with more addresses is tried at these. */
const maxAddresses = 8;
/** How long one address has before the next is tried. */
const connectionAttemptMs = 2_500;

/** Posts to URLs that customers give. */
export type PostToCustomer = (post: CustomerPost) => Promise<CustomerAnswer>;

/**
 * Returns the function by which alone requests go to URLs of customers. It never throws.
 *
 * - The name is resolved here, once for each attempt; the connection is made to the addresses that were judged, so that there is no
 *   second answer of DNS to be connected to. Addresses in the URL are judged too: Node would look none of them up.
 * - No connection is used twice, so that no request skips the judgement. The environment's proxies are not used.
 * - TLS verifies the name of the URL, whatever NODE_TLS_REJECT_UNAUTHORIZED says. Redirections are answers like others.
 */
export function customerPoster(options: CustomerPosterOptions): PostToCustomer {
  const { rules, resolve = resolveAddresses, timeoutMs = defaultTimeoutMs } = options;
  // An agent of our own: the global ones keep connections, and may have been given a proxy.
  const connections = { keepAlive: false, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: connectionAttemptMs };
  const agents = { "http:": new HttpAgent(connections), "https:": new HttpsAgent(connections) };
  return async (post) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([post.signal, timeout]);
    try {
      const url = new URL(post.url);
      const addresses = await judgedAddresses(url, { rules, resolve, signal });
      return await send(url, post, {
        addresses,
        signal,
        agent: url.protocol === "http:" ? agents["http:"] : agents["https:"],
      });
    } catch (error) {
      if (timeout.aborted) {
        return { kind: "unanswered", reason: `no answer within ${timeoutMs / 1_000} s` };
      }
      return { kind: "unanswered", reason: post.signal.aborted ? "the attempt was aborted" : reasonOf(error) };
    }
  };
}

async function judgedAddresses(
  url: URL,
  deps: { readonly rules: DestinationRules; readonly resolve: ResolveAddresses; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const host = hostOf(url);
  const found = addressesWithoutDns(host) ?? (await abortable(deps.resolve(host, deps.signal), deps.signal));
  if (found.length === 0) {
    throw new Unreachable("the name of the receiver has no address");
  }
  const allowed = found.filter((address) => isAllowedDestination(deps.rules, url.protocol, address));
  if (allowed.length === 0) {
    throw new Unreachable("the address of the receiver is not allowed: it is not public");
  }
  return allowed.slice(0, maxAddresses);
}

/** A resolver that ignores its signal must not hold the attempt up. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

interface Connection {
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  readonly agent: HttpAgent | HttpsAgent;
}

function send(url: URL, post: CustomerPost, { addresses, signal, agent }: Connection): Promise<CustomerAnswer> {
  const host = hostOf(url);
  // Node tries all of them in turn. It does not call this for an address, which is the one that was judged.
  const lookup: LookupFunction = (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  const options: RequestOptions & { readonly servername: string; readonly rejectUnauthorized: true } = {
    method: "POST",
    protocol: url.protocol,
    host,
    port: url.port === "" ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...post.headers, Host: url.host, "Content-Length": post.body.byteLength, "Accept-Encoding": "identity" },
    agent,
    lookup,
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
    servername: isIP(host) === 0 ? host : "",
    rejectUnauthorized: true,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "http:" ? httpRequest : httpsRequest)(options);
    request.on("error", reject);
    // However it ends: a request that Node has destroyed without an error has none when the signal aborts, either.
    const onClose = () => reject(new Unreachable(closedWithoutAnswer));
    request.once("close", onClose);
    // Status 101, which nobody asked for. Without a listener, Node destroys the request without an error.
    request.once("upgrade", (response, socket) => {
      resolve({ kind: "answered", status: response.statusCode ?? 0, body: "" });
      socket.destroy();
    });
    request.once("response", (response) => {
      // From here on the attempt is answered, whatever becomes of the body.
      request.off("close", onClose);
      request.off("error", reject).on("error", () => undefined);
      void readBeginning(response, signal).then((body) => {
        resolve({ kind: "answered", status: response.statusCode ?? 0, body });
        request.destroy();
      });
    });
    request.end(post.body);
  });
}

/** Reads `keptBytes` at most, and what arrived of them if the rest takes too long. Never rejects. */
async function readBeginning(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, bodyTimeoutMs);
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", finish, { once: true });
    response.on("error", finish);
    response.on("close", finish);
    response.on("end", finish);
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length >= keptBytes) {
        response.pause();
        finish();
      }
    });
  });
  const kept = Buffer.concat(chunks).subarray(0, keptBytes);
  // As a stream: a character that is cut off at the end is left out. PostgreSQL's text has no U+0000.
  return new TextDecoder().decode(kept, { stream: true }).replaceAll("\0", "\uFFFD");
}

const closedWithoutAnswer = "the receiver closed the connection without an answer";

class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** What an operator or a customer can act on, in our words. */
function reasonOf(error: unknown): string {
  if (error instanceof Unreachable) {
    return error.message;
  }
  const code = codeOf(error);
  if (code === undefined) {
    return "the receiver cannot be reached";
  }
  if (code === "ECONNREFUSED") {
    return "the receiver refused the connection";
  }
  if (code.startsWith("HPE_")) {
    return "the answer of the receiver is not valid HTTP, or its headers are too long";
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    return closedWithoutAnswer;
  }
  return isOfTls(code) ? `the certificate of the receiver is not valid (${code})` : "the receiver cannot be reached";
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) {
    return codeOf(error.errors[0]);
  }
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function isOfTls(code: string): boolean {
  return /CERT|SELF_SIGNED|^UNABLE_TO_|^ERR_TLS_/.test(code);
}
