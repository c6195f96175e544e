import type { Clock } from "../../clock.ts";
import { AppError, errorKinds } from "../../errors.ts";
import type { Logger } from "../../observe/log.ts";
import { clientAddressOf, limitKeyOf, type ProxyTrust } from "../../server/client-address.ts";
import type { Page, PageOutcome } from "../../server/request-handler.ts";
import { UnverifiedBodies } from "../../server/unverified-bodies.ts";
import { readCallbackBody } from "./callback-body.ts";
import type { ProviderCallback, ProviderDependencies } from "./provider-kind.ts";

/** A report is one or two kilobytes. What it costs to check the signature of a stranger's grows with its length. */
const maxBodyBytes = 32 * 1024;
const arrivingLimits = { maxBytes: 256 * maxBodyBytes, maxBytesPerSource: 64 * maxBodyBytes };

/** A report can arrive before its message is recorded. It is refused for this long, so that the provider repeats it. */
const recordDelayMs = 60_000;

interface CallbackPageOptions extends Pick<ProviderDependencies, "channel" | "name" | "callbackUrl" | "record"> {
  readonly callback: ProviderCallback;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  readonly proxyTrust: ProxyTrust;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `/webhooks/<channel>/<name>`: delivery reports of a provider. */
export function providerCallbackPage(options: CallbackPageOptions): Page {
  const { callbackUrl = "", proxyTrust } = options;
  const arriving = new UnverifiedBodies(arrivingLimits);
  return async (request, response): Promise<PageOutcome> => {
    const header = (name: string) => request.headers[name]?.toString();
    const headers = { get: (name: string) => header(name) ?? null };
    const source = limitKeyOf(clientAddressOf(proxyTrust, request.socket.remoteAddress, headers));
    const { search, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    let answer: Answer;
    try {
      answer =
        request.method === "POST"
          ? await receive(options, {
              url: callbackUrl === "" ? "" : callbackUrl + search,
              query,
              header,
              body: await readCallbackBody(request, arriving.open(source), maxBodyBytes),
            })
          : { status: 405, headers: { Allow: "POST" } };
    } catch (error) {
      if (!(error instanceof AppError)) {
        throw error;
      }
      // Without the database or memory the report cannot be stored: the provider sends it again.
      answer = { status: errorKinds[error.code].httpStatus };
    }
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers ?? {})) {
      response.setHeader(name, value);
    }
    response.end(answer.body);
    return "served";
  };
}

async function receive(
  { callback, channel, name, clock, logger, record }: CallbackPageOptions,
  request: Parameters<ProviderCallback>[0],
): Promise<Answer> {
  const content = await callback(request);
  if (content.kind === "unsigned") {
    logger.warn("provider_signature_refused", { lane: channel, provider: name });
    return { status: 401 };
  }
  if (content.kind === "unreadable") {
    return { status: 400 };
  }
  const known = await record(content.receipts);
  const isRecent = (at: Date) => clock.now().getTime() - at.getTime() < recordDelayMs;
  if (content.receipts.some(({ messageId, at }) => !known.has(messageId) && isRecent(at))) {
    return { status: 503, headers: { "Retry-After": "1" } };
  }
  const { contentType = "text/plain; charset=utf-8", body = "" } = content.answer ?? {};
  return { status: 200, headers: { "Content-Type": contentType }, body };
}
