import { prefers } from "@byond/rest/media-type";
import type { NodeRequest } from "../../server/normalize-request.ts";
import { redirectPage } from "../../server/redirect-page.ts";
import type { Page } from "../../server/request-handler.ts";
import { filePage, StaticFile } from "../../server/static-file.ts";
import { type ConsoleFiles, readConsoleFiles } from "./console-files.ts";
import { notBuiltPage } from "./not-built-page.ts";

/**
 * The console may load only what this server serves, and nothing inline. The two hashes are of style sheets that React Aria adds by script:
 * `touch-action` of what can be pressed, and `overscroll-behavior` below dialogs on phones.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' 'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

const pageHeaders = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
};

export interface ConsolePagesOptions {
  /** Where the built console is. */
  readonly folder: string;
  readonly publicUrl: string | undefined;
}

/** The pages of the console, by path. Whatever is below `/console/` and no file is a page that the console itself shows. */
export async function consolePages({ folder, publicUrl }: ConsolePagesOptions): Promise<ReadonlyMap<string, Page>> {
  const files = await readConsoleFiles(folder);
  return new Map<string, Page>([
    ["/", startPage],
    ["/console", redirectPage(308, "console/")],
    ["/console/*", files === undefined ? notBuiltPage : appPage(files, publicUrl)],
    ...[...(files?.assets ?? [])].map(([name, read]): [string, Page] => [
      `/console/assets/${name}`,
      // The hash of its content is in the name.
      filePage(read, { cacheControl: "public, max-age=31536000, immutable", headers: assetHeaders }),
    ]),
  ]);
}

const assetHeaders = { "Cross-Origin-Resource-Policy": "same-origin" };

const toConsole = redirectPage(302, "console/");
const toReference = redirectPage(302, "docs");

/** Leads people to the console, and programs to the reference. */
const startPage: Page = (request, response) => {
  response.setHeader("Vary", "Accept");
  return (isForPeople(request) ? toConsole : toReference)(request, response);
};

function isForPeople({ headers }: NodeRequest): boolean {
  return headers.accept !== undefined && prefers(headers.accept, "text/html", "application/json");
}

/** `index.html` at every path, except where a missing file is asked for. */
function appPage({ indexHtml }: ConsoleFiles, publicUrl: string | undefined): Page {
  // Absolute: the page is served at paths of every depth. A proxy may have put the server below a path, which PUBLIC_URL names then.
  const root = publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");
  const file = new StaticFile(
    "text/html; charset=utf-8",
    Buffer.from(indexHtml.replaceAll('="./', `="${root}/console/`).replaceAll('="../', `="${root}/`)),
  );
  return filePage(({ url = "" }) => (isOfFile(url) ? undefined : file), {
    cacheControl: "no-cache",
    headers: pageHeaders,
  });
}

/** Paths below `assets/` are only those of files: a page in place of a script would be an error that explains nothing. */
function isOfFile(target: string): boolean {
  return target.startsWith("/console/assets/");
}
