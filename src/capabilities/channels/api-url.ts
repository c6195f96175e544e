import { isLoopbackHost } from "../../config/loopback-host.ts";
import type { DsnParameters } from "./dsn.ts";

/**
 * The base URL of a provider's interface, without a slash at the end: `api_url` of the DSN (another region's, a proxy of one's own), else the
 * provider's. Requests carry credentials: without TLS only to this machine.
 */
export function readApiUrl(parameters: DsnParameters, ownUrl: string): string {
  const given = parameters.take("api_url");
  if (given === undefined) {
    return ownUrl;
  }
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url === undefined || !isSafe || url.username + url.password + url.search + url.hash !== "") {
    throw new TypeError(
      "its parameter api_url must be an https:// URL, percent-encoded, without a user, query or fragment",
    );
  }
  return url.href.replace(/\/+$/, "");
}
