import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../../errors.ts";
import { errorBody, errorGuide } from "../error-guide.ts";
import { errorSchemas } from "./error-schemas.ts";

/** Collects the error responses of operations. Each combination of codes with the same status is a component. */
export class ErrorResponses {
  readonly #documentationUrl: string;
  readonly #responses = new Map<string, JsonObject>();

  /** `documentationUrl` is the URL of the error page, without the fragment. */
  constructor(documentationUrl: string) {
    this.#documentationUrl = documentationUrl;
  }

  /** References to the responses of an operation with these errors, by HTTP status. */
  referTo(codes: readonly ErrorCode[]): JsonObject {
    const byStatus = Map.groupBy(codes, (code) => errorKinds[code].httpStatus);
    return Object.fromEntries(
      [...byStatus].map(([status, codesOfStatus]) => {
        const name = responseName(codesOfStatus);
        this.#responses.set(name, this.#response(codesOfStatus));
        return [String(status), { $ref: `#/components/responses/${name}` }];
      }),
    );
  }

  /** The components that were referred to so far. */
  components(): { readonly responses: JsonObject; readonly schemas: JsonObject } {
    return { responses: Object.fromEntries(this.#responses), schemas: errorSchemas };
  }

  #response(codes: readonly ErrorCode[]): JsonObject {
    const example = (code: ErrorCode) => ({
      summary: errorGuide[code].title,
      value: errorBody(code, this.#documentationUrl),
    });
    return {
      description: codes.map((code) => `\`${code}\`: ${errorGuide[code].meaning}`).join("\n\n"),
      headers: {
        "X-Request-Id": { $ref: "#/components/headers/RequestId" },
        ...(codes.some(hasChallenge) ? { "WWW-Authenticate": { $ref: "#/components/headers/Authenticate" } } : {}),
        ...(hasRetryAfter(codes) ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
      },
      content: {
        "application/json": {
          schema: { $ref: "#/components/schemas/ErrorResponse" },
          examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
        },
      },
    };
  }
}

/** `InternalError`: no schema, parameter or other response has such a name, of which some generators make one namespace. */
function responseName(codes: readonly ErrorCode[]): string {
  return codes
    .map(pascalCase)
    .join("Or")
    .replace(/(Error)?$/, "Error");
}

/** `invalid_api_key` → `InvalidApiKey`. */
function pascalCase(code: ErrorCode): string {
  return code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function hasChallenge(code: ErrorCode): boolean {
  return errorKinds[code].httpStatus === 401 || code === "insufficient_scope";
}

function hasRetryAfter(codes: readonly ErrorCode[]): boolean {
  return codes.includes("rate_limited") || codes.includes("unavailable");
}
