import { SingleChunk } from "@byond/rest/single-chunk";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { hasCredential } from "../../../access/read-credential.ts";
import { AppError } from "../../../errors.ts";
import { requestRecordKey } from "../../../observe/request-record.ts";
import { restErrorAnswer } from "../../../rpc/rest-errors.ts";
import type { ErrorReporter } from "../../../rpc/wire-errors.ts";
import { htmlResponse, prefersHtml, privatePageHeaders } from "../../../server/html-response.ts";
import type { CallHandler } from "../../../server/request-handler.ts";
import type { Inbox, InboxMessage, InboxOwner } from "./inbox.ts";
import { inboxHtml, inboxRefusalHtml } from "./inbox-html.ts";
import type { InboxLink } from "./inbox-link.ts";

export interface InboxPageOptions {
  readonly inbox: Inbox;
  /** Undefined: keys and sessions only. */
  readonly link: InboxLink | undefined;
  /** Returns the owner of the request's key or session, or throws the error that an API call with it would get. */
  readonly admitReader: (request: UniversalServerRequest, responseHeader: Headers) => Promise<InboxOwner>;
  readonly errors: ErrorReporter;
}

/**
 * `/dev/inbox`: the messages that did not leave the server, newest first; HTML for browsers, JSON for programs. An API key gets those
 * of its workspace and mode, a session those of its workspace in the mode that it names in `Byond-Mode`; the link of the start banner gets all, including the server's own. The network address of the request
 * does not matter.
 */
export function inboxPage(options: InboxPageOptions): CallHandler {
  return async (request) => {
    const header = new Headers(privatePageHeaders);
    try {
      const messages = await messagesFor(options, request, header);
      return prefersHtml(request)
        ? htmlResponse(request, 200, header, inboxHtml(messages))
        : jsonAnswer(request, 200, header, messages);
    } catch (error) {
      const { contextValues } = request;
      if (contextValues === undefined) {
        throw error;
      }
      const refusal = restErrorAnswer(options.errors, error, contextValues.get(requestRecordKey));
      for (const [name, value] of Object.entries(refusal.headers)) {
        header.set(name, value);
      }
      return prefersHtml(request)
        ? htmlResponse(
            request,
            refusal.status,
            header,
            inboxRefusalHtml(refusal.body.error, options.link !== undefined),
          )
        : jsonAnswer(request, refusal.status, header, refusal.body);
    }
  };
}

async function messagesFor(
  { inbox, link, admitReader }: InboxPageOptions,
  request: UniversalServerRequest,
  header: Headers,
): Promise<readonly InboxMessage[]> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    header.set("Allow", "GET, HEAD");
    throw new AppError("method_not_allowed", `${request.method} is not allowed here. Allowed: GET, HEAD.`);
  }
  if (!hasCredential(request.header) && link !== undefined) {
    const outcome = await link.admit(request);
    if (outcome === "refused") {
      throw new AppError(
        "invalid_api_key",
        "The link was already used, or the server was restarted since. Each start prints a new one.",
      );
    }
    if (outcome !== "absent") {
      if (outcome.setCookie !== undefined) {
        header.set("Set-Cookie", outcome.setCookie);
      }
      return inbox.listAll();
    }
  }
  return inbox.listOf(await admitReader(request, header));
}

function jsonAnswer(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  body: unknown,
): UniversalServerResponse {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  header.set("Content-Length", String(bytes.length));
  return request.method === "HEAD" ? { status, header } : { status, header, body: new SingleChunk(bytes) };
}
