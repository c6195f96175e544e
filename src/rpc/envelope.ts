import { AppError } from "../errors.ts";

/** Whether the client asked for JSON answers over REST in an envelope: `Byond-Envelope: true`. */
export function wantsEnvelope(headers: Pick<Headers, "get">): boolean {
  return headers.get("byond-envelope")?.toLowerCase() === "true";
}

/**
 * Throws `invalid_request` for a `Byond-Envelope` that is neither `true` nor `false`: a client that believes to have
 * switched it on must not read JSON without it. Answers of another form, such as CSV and streams, have none.
 */
export function checkEnvelopeHeader(headers: Headers): void {
  const value = headers.get("byond-envelope")?.toLowerCase();
  if (value !== undefined && value !== "true" && value !== "false") {
    throw new AppError("invalid_request", 'The Byond-Envelope header must be "true" or "false".');
  }
}

const errorStart = '{"error":';

/**
 * Puts a REST body into the envelope: `{"ok":true,"data":…}`, or `{"ok":false,"error":…}` for the body of an error, which
 * is `{"error":…}` itself. The JSON is not read again, so numbers and the order of members stay as they are. An answer
 * without a body has `null` for data.
 */
export function wrapInEnvelope(isOk: boolean, json: string): string {
  if (isOk) {
    return `{"ok":true,"data":${json === "" ? "null" : json}}`;
  }
  if (!json.startsWith(errorStart)) {
    throw new TypeError("the body of an error must begin with its member `error`");
  }
  return `{"ok":false,${json.slice(1)}`;
}
