import { createHmac } from "node:crypto";
import { equalSecrets } from "../../../crypto/equal-secrets.ts";

export interface PlivoRequest {
  /** The URL as Plivo knows it, with its query. */
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  /** The fields of the form in the body. */
  readonly form: URLSearchParams;
}

/**
 * Whether Plivo signed a POST request.
 *
 * Version 3 covers the URL, its query, every field and a nonce ("Signature validation" of the Voice API, and Plivo's SDKs): if the
 * request has it, it alone decides. Reports about text messages are documented with version 2, which covers the URL without its
 * query and a nonce, and not the body: TLS keeps such a signature secret, and with it the body true. Neither has a time. A report
 * that is sent twice changes nothing.
 *
 * Each version comes with the signature of the account that the call or message belongs to, and with that of its main account.
 */
export function plivoSignatureVersion(request: PlivoRequest, authToken: string): "v3" | "v2" | undefined {
  const versions = [
    { version: "v3", names: ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"], signed: signedByVersion3 },
    { version: "v2", names: ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"], signed: signedByVersion2 },
  ] as const;
  for (const { version, names, signed } of versions) {
    const given = names.flatMap((name) => request.header(name)?.split(",") ?? []).map((signature) => signature.trim());
    if (given.length > 0) {
      const nonce = request.header(`x-plivo-signature-${version}-nonce`) ?? "";
      const expected = createHmac("sha256", authToken).update(signed(request, nonce)).digest("base64");
      const isSigned = nonce !== "" && given.some((signature) => equalSecrets(signature, expected));
      return isSigned ? version : undefined;
    }
  }
  return undefined;
}

function signedByVersion3({ url, form }: PlivoRequest, nonce: string): string {
  const query = sortedPairs(url.searchParams).map(([name, value]) => `${name}=${value}`);
  const fields = sortedPairs(form).map(([name, value]) => name + value);
  const separators = { question: query.length > 0 || fields.length > 0, dot: query.length > 0 && fields.length > 0 };
  return [
    url.origin,
    url.pathname,
    separators.question ? "?" : "",
    query.join("&"),
    separators.dot ? "." : "",
    fields.join(""),
    `.${nonce}`,
  ].join("");
}

function signedByVersion2({ url }: PlivoRequest, nonce: string): string {
  return `${url.origin}${url.pathname}${nonce}`;
}

/** By name and then by value, in the order of their code units. */
function sortedPairs(params: URLSearchParams): [string, string][] {
  return [...params].sort(([name, value], [otherName, otherValue]) =>
    name === otherName ? compare(value, otherValue) : compare(name, otherName),
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
