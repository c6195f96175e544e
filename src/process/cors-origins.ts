import type { EnvironmentReader } from "../config/environment-reader.ts";
import type { CorsOrigins } from "../server/cors.ts";

export function readCorsOrigins(reader: EnvironmentReader<"CORS_ORIGINS">): CorsOrigins {
  const entries = reader.list("CORS_ORIGINS");
  if (entries.length === 1 && entries[0] === "*") {
    return "any";
  }
  // Behind a comma at the end nobody is missing.
  const named = entries.length > 1 && entries.at(-1) === "" ? entries.slice(0, -1) : entries;
  const origins = named.map(parseOrigin);
  const wrong = origins.indexOf(undefined);
  if (wrong !== -1) {
    reader.problems.push(
      `CORS_ORIGINS must be a comma-separated list of origins (https://app.example.com, http://localhost:3000), or * alone: entry ${wrong + 1} is no origin`,
    );
  }
  return [...new Set(origins.filter((origin) => origin !== undefined))];
}

/** Scheme, host and port, without the default port. Pages in apps have schemes of their own (`capacitor://localhost`). */
function parseOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+\/?$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}
