import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface SignedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * The signature that a POST request must have, computed as AWS does it (Signature Version 4, "Create a signed request"), from what the
 * request says about its date, its scope and its signed headers. Only for requests without a query.
 */
export function sigv4Signature(request: SignedRequest, secretAccessKey: string): string {
  const { scope, signedHeaders } = authorizationOf(request.headers);
  const [date = "", region = "", service = ""] = scope.split("/");
  const names = signedHeaders.split(";");
  const canonicalRequest = [
    "POST",
    request.path,
    "",
    ...names.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    signedHeaders,
    sha256(request.body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonicalRequest)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign).toString("hex");
}

/** The parts of the header `Authorization`. */
export function authorizationOf(headers: IncomingHttpHeaders) {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, accessKeyId = "", scope = "", signedHeaders = "", signature = ""] =
    pattern.exec(headers.authorization ?? "") ?? [];
  return { accessKeyId, scope, signedHeaders, signature };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();
