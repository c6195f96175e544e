import type { Converter, Json, JsonObject } from "./converters.ts";

/** How a method of a service calls the API. The generated table has one for each. */
export interface Operation {
  /** `webhooks.rotate_secret`. */
  readonly id: string;
  /** The RPC, for gRPC: `byond.v1.WebhookService/RotateWebhookSecret`. */
  readonly rpc: string;
  readonly method: string;
  /** With `{name}` for each path parameter. */
  readonly path: string;
  readonly pathParameters: readonly string[];
  readonly parametersIn: "query" | "body" | "none";
  /** Over gRPC: the field of the request that holds the parameters. Default: they are fields of the request. */
  readonly parametersField?: string;
  readonly parameters: Converter;
  readonly result: Converter;
  /** Over gRPC: the field of the response that holds the result. Default: the response is the result. */
  readonly resultField?: string;
  /** If the result is a page: its member with the elements. */
  readonly itemsField?: string;
  /** If the results are a stream. Over gRPC: the field of each message that says where to resume. */
  readonly resumeField?: string;
  /** If the results are a stream: the parameter that resumes it. */
  readonly resumeParameter?: string;
  readonly takesCredential: boolean;
  readonly hasSideEffects: boolean;
  /** Whether it can be sent again if nobody knows whether it was carried out. */
  readonly isRepeatable: boolean;
}

/** One attempt at a call. */
export interface Attempt {
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A message of a stream: a result, or a heartbeat without one. */
export interface StreamMessage {
  readonly result?: Json;
  /** Where the stream can be resumed after this message. */
  readonly resumeAfter?: string;
}

/** Carries out attempts. Throws a `ByondError`, or what the signal was aborted with. */
export interface Transport {
  call(attempt: Attempt): Promise<Json>;
  /** Resolves when the server has accepted the stream. */
  stream(attempt: Attempt): Promise<AsyncIterable<StreamMessage>>;
}
