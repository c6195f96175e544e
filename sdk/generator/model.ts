/**
 * What the SDKs are generated from: the services of `byond.v1` as somebody sees them who calls them over REST. Neutral of languages: names are
 * the words of the schema in snake_case, and types are those of the REST JSON. `read-model.ts` makes it of the descriptors; each language's
 * emitter turns it into code.
 */
export interface Model {
  /** The version of the SDKs: that of the server, from the root's package.json. */
  readonly version: string;
  /** The version of the API that SDKs name in `Byond-Version`. */
  readonly apiVersion: string;
  /** Every code of an error, by HTTP status, with what it means. */
  readonly errors: readonly ErrorKind[];
  readonly services: readonly Service[];
  /** All messages that operations or other messages contain, in the order of the schema. Not those that are only parameters. */
  readonly messages: readonly Message[];
  readonly enums: readonly Enum[];
}

export interface ErrorKind {
  /** `rate_limited`. */
  readonly code: string;
  readonly status: number;
  readonly doc: string;
}

export interface Service {
  /** The member of the client: `verify`, `keys`. One or several words in snake_case. */
  readonly name: string;
  /** The name of its class: `Verify`, `Keys`. */
  readonly typeName: string;
  /** `byond.v1.VerifyService`. */
  readonly rpcService: string;
  readonly doc: string;
  readonly operations: readonly Operation[];
}

export interface Operation {
  /** The method: `start`, `rotate_secret`. */
  readonly name: string;
  /** Service and method: `webhooks.rotate_secret`. */
  readonly id: string;
  /** `RotateWebhookSecret`. */
  readonly rpcName: string;
  readonly doc: string;
  readonly http: {
    readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    /** With `{name}` for each path parameter: `/api/v1/webhooks/{id}/rotate-secret`. */
    readonly path: string;
  };
  /** Positional arguments of the method, in the order of the path. */
  readonly pathParameters: readonly Field[];
  /** Named arguments of the method. Their type is named `parametersType`. */
  readonly parameters: readonly Field[];
  /** `RotateWebhookSecretParams`. Undefined if there are no parameters. */
  readonly parametersType: string | undefined;
  /** Where the parameters go. `body` without parameters means an empty JSON object. */
  readonly parametersIn: "query" | "body" | "none";
  /** Over gRPC: the field of the request message that the parameters are fields of. Undefined: of the request message itself. */
  readonly parametersField: string | undefined;
  /** What the method returns: the body of the answer. */
  readonly result: {
    /** The name of a message. */
    readonly type: string;
    /** Over gRPC: the field of the response message that holds the result. Undefined: the response message is the result. */
    readonly field: string | undefined;
  };
  /** If the answer is one page of a list. */
  readonly pages: Pages | undefined;
  /** If the answer is a stream of results. */
  readonly stream: Stream | undefined;
  /** The credential that it takes. SDKs send none with `none`. */
  readonly credential: "none" | "api_key" | "session" | "api_key_or_session";
  /** The scope that a key needs. */
  readonly scope: string | undefined;
  /** Whether SDKs send an `Idempotency-Key` of their own: the call has side effects. */
  readonly hasSideEffects: boolean;
  /** Whether a call whose answer was lost can be sent again: it reads, it is idempotent, or the server keeps its answer. */
  readonly isRepeatable: boolean;
}

export interface Pages {
  /** The field of the result that holds the elements, and their type. */
  readonly itemsField: string;
  readonly itemType: string;
  /** The parameter that takes the token, and the field of the result that has the next one. */
  readonly tokenParameter: "page_token";
  readonly nextTokenField: "next_page_token";
}

export interface Stream {
  /** Over gRPC: the field of a message that says where to resume. Over REST it is the id of the server-sent event. */
  readonly resumeField: string;
  /** The parameter that resumes. Over REST also the header `Last-Event-ID`. */
  readonly resumeParameter: string;
}

export interface Message {
  /** `Verification`, `StartVerificationResponse`. */
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly Field[];
  /** Whether only parameters contain it: then what can be null may be left out. */
  readonly isInput?: boolean;
}

export interface Field {
  /** In snake_case, as in the JSON. */
  readonly name: string;
  readonly doc: string;
  readonly type: FieldType;
  /** Of parameters: whether the call needs it. */
  readonly isRequired: boolean;
  /** Of results: whether it can be null. */
  readonly isNullable: boolean;
  /** Of results: whether it is left out, in place of null, when it is unset. */
  readonly isOmittable?: boolean;
}

export type FieldType =
  | { readonly kind: "string" | "boolean" | "integer" | "number" }
  /** A 64-bit integer, in quotes in the JSON. */
  | { readonly kind: "int64" }
  /** Base64 in the JSON. */
  | { readonly kind: "bytes" }
  /** RFC 3339 in UTC and whole seconds: `2026-06-15T10:30:00Z`. */
  | { readonly kind: "timestamp" }
  /** Any JSON. */
  | { readonly kind: "json" }
  | { readonly kind: "enum"; readonly name: string }
  | { readonly kind: "message"; readonly name: string }
  | { readonly kind: "list"; readonly of: FieldType }
  /** With texts as keys, which are data: they are never renamed. */
  | { readonly kind: "map"; readonly of: FieldType }
  | Choice;

/** One of several messages. The text of a field beside it says which: its part before the first dot is the `word` of a case. */
export interface Choice {
  readonly kind: "choice";
  /** The field beside it: `type`. */
  readonly discriminator: string;
  readonly cases: readonly { readonly word: string; readonly message: string }[];
}

export interface Enum {
  /** `Channel`, `StartVerificationResponseStatus`. */
  readonly name: string;
  /** `byond.v1.StartVerificationResponse.Status`. */
  readonly typeName: string;
  readonly doc: string;
  readonly values: readonly EnumValue[];
}

export interface EnumValue {
  /** As the JSON has it: `email`, `verification.started`, `24h`. */
  readonly word: string;
  /** On the wire of gRPC. */
  readonly number: number;
  /** The constant's name without the enum's prefix, in upper case: `EMAIL`, `VERIFICATION_STARTED`, `DAY`. */
  readonly constant: string;
  readonly doc: string;
}
