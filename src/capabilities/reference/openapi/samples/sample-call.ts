import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What the samples of an operation show: one call, over REST and over gRPC. */
export interface SampleCall {
  readonly method: string;
  /** The path at the server, with the examples of its variables. */
  readonly path: string;
  /** The examples of those variables, as they are. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: JsonValue | undefined;
  readonly credential: "key" | "session" | "none";
  /** Whether it is answered with a stream, which is read line by line. */
  readonly isStream: boolean;
  readonly rpc: {
    /** `byond.v1.VerifyService/StartVerification` */
    readonly name: string;
    /** The request in protobuf JSON, as far as grpcurl reads it. */
    readonly message: JsonObject;
  };
}

/** A language of the samples. */
export interface SampleLanguage {
  /** Its name in the switch between languages. */
  readonly label: string;
  /** Its name for syntax highlighting. */
  readonly lang: string;
  /** How its samples read the API key from the environment. */
  readonly key: KeyExpression;
  /** A whole program, or a command, that makes the call and prints the status and the answer. */
  readonly sample: (call: SampleCall) => string;
}

/** The samples of a call in the SDKs, in the form of `x-codeSamples`. */
export type SdkSamples = (call: SampleCall) => readonly {
  readonly lang: string;
  readonly label: string;
  readonly source: string;
}[];

/** What a key takes the place of, when the reader has entered one. */
export interface KeyExpression {
  readonly text: string;
  /** What goes around a key that is written out. */
  readonly quote: "" | '"' | "'";
}

/** How a language writes the value of a header. */
export interface HeaderExpressions {
  readonly key: string;
  readonly session: string;
  readonly text: (text: string) => string;
}

/** The headers of the call over REST, with their values as expressions. */
export function headersOf(
  { credential, body }: SampleCall,
  { key, session, text }: HeaderExpressions,
): readonly (readonly [name: string, expression: string])[] {
  return [
    ...(credential === "key" ? [["X-API-Key", key] as const] : []),
    ...(credential === "session" ? [["Authorization", session] as const] : []),
    ...(body === undefined ? [] : [["Content-Type", text("application/json")] as const]),
  ];
}
