import { SingleChunk } from "@byond/rest/single-chunk";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { SessionCookie, SessionCookies } from "../../access/session-cookie.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { requestRecordKey } from "../../observe/request-record.ts";
import { restErrorAnswer } from "../../rpc/rest-errors.ts";
import type { ErrorReporter } from "../../rpc/wire-errors.ts";
import { clientAddressKey } from "../../server/client-address.ts";
import { htmlResponse, prefersHtml, privatePageHeaders } from "../../server/html-response.ts";
import { html } from "../../server/html-template.ts";
import { pageLayout } from "../../server/page-layout.ts";
import type { CallHandler } from "../../server/request-handler.ts";
import { demoAddress } from "../../text/mail-address.ts";
import type { ConsoleLink } from "./console-link.ts";
import { findAccountsByEmail } from "./find-account.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";

/** Where the link of the banner leads. The console is the folder. */
export const consoleEntryPath = "/console/enter";

interface Dependencies extends SessionDependencies {
  readonly database: Pick<Database, "run" | "query" | "transaction">;
  readonly sessionCookies: SessionCookies;
  readonly clock: Pick<Clock, "now">;
}

export interface ConsoleEntryOptions {
  readonly link: ConsoleLink;
  readonly errors: ErrorReporter;
}

/**
 * `/console/enter?token=…`: begins a session of the demo workspace's owner in the browser's cookie, and leads to the console. A used
 * link leads a browser with a session there, too: one that reloads it, or goes back.
 */
export function consoleEntryPage(deps: Dependencies, { link, errors }: ConsoleEntryOptions): CallHandler {
  return async (request) => {
    const header = new Headers(privatePageHeaders);
    try {
      const setCookie = await enter(deps, link, request, header);
      if (setCookie !== undefined) {
        header.set("Set-Cookie", setCookie);
      }
      header.delete("Content-Type");
      // Relative: a proxy may serve the server below a path that it does not know.
      header.set("Location", "./");
      return { status: 303, header };
    } catch (error) {
      const { contextValues } = request;
      if (contextValues === undefined) {
        throw error;
      }
      const refusal = restErrorAnswer(errors, error, contextValues.get(requestRecordKey));
      for (const [name, value] of Object.entries(refusal.headers)) {
        header.set(name, value);
      }
      if (prefersHtml(request)) {
        return htmlResponse(request, refusal.status, header, refusalHtml(refusal.body.error));
      }
      const bytes = Buffer.from(`${JSON.stringify(refusal.body)}\n`);
      header.set("Content-Length", String(bytes.length));
      const body = request.method === "HEAD" ? {} : { body: new SingleChunk(bytes) };
      return { status: refusal.status, header, ...body };
    }
  };
}

/** Returns the cookie to set. Undefined: the browser has one. */
async function enter(
  deps: Dependencies,
  link: ConsoleLink,
  request: UniversalServerRequest,
  header: Headers,
): Promise<string | undefined> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    header.set("Allow", "GET, HEAD");
    throw new AppError("method_not_allowed", `${request.method} is not allowed here. Allowed: GET, HEAD.`);
  }
  // Before the link is used: where the cookie would not count, it would be lost.
  const cookie = deps.sessionCookies.ofPage(request.header, request);
  if (await link.redeem(request)) {
    return cookieOf(deps, cookie, await openDemoSession(deps, request));
  }
  if (cookie.read(request.header) !== undefined) {
    return undefined;
  }
  throw new AppError(
    "invalid_api_key",
    "The link was already used, or the server was restarted since. Each start prints a new one.",
  );
}

async function openDemoSession(deps: Dependencies, { contextValues }: UniversalServerRequest): Promise<SessionGrant> {
  const [owner] = await findAccountsByEmail(deps, demoAddress);
  const clientAddress = contextValues?.get(clientAddressKey);
  const grant =
    owner &&
    (await deps.database.transaction((database) => openSession({ ...deps, database }, owner, { clientAddress })));
  if (grant === undefined) {
    throw new AppError("not_found", "There is no demo workspace any more. Sign in with an account of your own.");
  }
  return grant;
}

function cookieOf({ clock }: Dependencies, cookie: SessionCookie, grant: SessionGrant): string {
  return cookie.write(grant, (grant.sessionExpiresAt.getTime() - clock.now().getTime()) / 1_000);
}

function refusalHtml({ code, message }: { readonly code: string; readonly message: string }): string {
  return pageLayout({
    title: "Console",
    root: "../",
    body: html`<main class="notice">
<h1 class="notice-title">Console</h1>
<p>${message}</p>
<p><a class="notice-link" href="./">Open the console</a></p>
<p><a class="notice-link" href="../docs/errors#${code}">${code}</a></p>
</main>`,
  });
}
