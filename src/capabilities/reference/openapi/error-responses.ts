import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../../errors.ts";
import { errorGuide } from "../error-guide.ts";
import { errorExample, type FailingOperation } from "./error-examples.ts";
import { errorSchemas } from "./error-schemas.ts";

/** Collects the error responses of operations. Each combination of codes with the same status, and the same examples, is a component. */
export class ErrorResponses {
  readonly #documentationUrl: string;
  readonly #responses = new Map<string, JsonObject>();

  /** `documentationUrl` is the URL of the error page, without the fragment. */
  constructor(documentationUrl: string) {
    this.#documentationUrl = documentationUrl;
  }

  /** References to the responses of an operation with these errors, by HTTP status. */
  referTo(codes: readonly ErrorCode[], operation: FailingOperation): JsonObject {
    const byStatus = Map.groupBy(codes, (code) => errorKinds[code].httpStatus);
    return Object.fromEntries(
      [...byStatus].map(([status, codesOfStatus]) => {
        const examples = codesOfStatus.map((code) => ({
          code,
          ...errorExample(code, operation, this.#documentationUrl),
        }));
        const name = responseName(codesOfStatus, examples.map(({ word }) => word).join(""));
        this.#responses.set(name, errorResponse(examples));
        return [String(status), { $ref: `#/components/responses/${name}` }];
      }),
    );
  }

  /** The components that were referred to so far. */
  components(): { readonly responses: JsonObject; readonly schemas: JsonObject } {
    return { responses: Object.fromEntries(this.#responses), schemas: errorSchemas };
  }
}

interface CodeExample {
  readonly code: ErrorCode;
  readonly body: JsonObject;
}

function errorResponse(shown: readonly CodeExample[]): JsonObject {
  const codes = shown.map(({ code }) => code);
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
        examples: Object.fromEntries(
          shown.map(({ code, body }) => [code, { summary: errorGuide[code].title, value: body }]),
        ),
      },
    },
  };
}

/**
 * `NotFoundErrorForWebhook`: no schema, parameter or other response has such a name, of which some generators make one namespace. `word`
 * is what its examples are about.
 */
function responseName(codes: readonly ErrorCode[], word: string): string {
  const name = codes
    .map(pascalCase)
    .join("Or")
    .replace(/(Error)?$/, "Error");
  return word === "" ? name : `${name}For${word}`;
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
