/** `sdk/cases.yaml`: its types, and how a run's cases are made of it. The file itself documents the format. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

export type Transport = "rest" | "grpc";

export interface Cases {
  readonly clients: Readonly<Record<string, ClientSettings>>;
  readonly cases: readonly Case[];
}

/** How a runner makes a client. What is absent has the SDK's default. */
export interface ClientSettings {
  /** Set by the harness. */
  readonly base_url?: string;
  readonly api_key?: string;
  readonly access_token?: string;
  readonly mode?: "live" | "test";
  readonly sign_requests?: boolean;
  readonly max_retries?: number;
  readonly timeout_ms?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Case {
  readonly name: string;
  /** One of the clients. Default: `sandbox`. */
  readonly client?: string;
  /** Default: both. */
  readonly transports?: readonly Transport[];
  readonly faults?: readonly Fault[];
  readonly requests?: ExpectedRequests;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly call?: string;
  readonly iterate?: string;
  readonly stream?: string;
  readonly helper?: string;
  readonly as?: string | ClientSettings;
  readonly with?: unknown;
  readonly options?: unknown;
  readonly take?: number;
  readonly eventually?: boolean;
  readonly repeat?: number;
  readonly expect?: unknown;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly save?: Readonly<Record<string, string>>;
}

/** What the proxy does with a request. `drop` cuts the connection after the first bytes of an answer. */
export type Fault =
  | { readonly pass: true }
  | { readonly error: string; readonly retry_after?: number }
  | { readonly status: number }
  | { readonly drop: "request" | "answer" }
  | { readonly hang: true }
  | { readonly cut_after_events: number };

/** What the proxy must have seen of a case. Names of headers are in lower case. */
export interface ExpectedRequests {
  readonly count?: number;
  /** Headers that all requests have, with one value. */
  readonly same?: readonly string[];
  /** Headers whose value, or absence, differs from request to request. */
  readonly different?: readonly string[];
  readonly absent?: readonly string[];
  /** Headers of every request, as regular expressions. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The least time before the second request, the third and so on. */
  readonly pauses_ms?: readonly number[];
}

export async function readCases(): Promise<Cases> {
  return parse(await readFile(join(import.meta.dirname, "../cases.yaml"), "utf8"), { merge: true });
}

/** Values that the cases name as `${name}`. */
export type Values = Readonly<Record<string, unknown>>;

/**
 * Replaces `${name}` in all texts of a value. A text that is nothing else becomes the value itself, whatever its type. Unknown names are left
 * for the runner: they are what earlier steps saved.
 */
export function fillIn<T>(template: T, values: Values): T;
export function fillIn(template: unknown, values: Values): unknown {
  if (typeof template === "string") {
    const [, whole] = /^\$\{(\w+)\}$/.exec(template) ?? [];
    return whole !== undefined && whole in values
      ? values[whole]
      : template.replace(/\$\{(\w+)\}/g, (text, name: string) => (name in values ? String(values[name]) : text));
  }
  if (Array.isArray(template)) {
    return template.map((element) => fillIn(element, values));
  }
  if (typeof template === "object" && template !== null) {
    return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fillIn(value, values)]));
  }
  return template;
}

/** A case as a runner gets it: with its client, and with all values of the harness. */
export interface RunnableCase {
  readonly name: string;
  readonly client: ClientSettings;
  readonly steps: readonly (Omit<Step, "as"> & { readonly as?: ClientSettings })[];
}

/** Clients by name become their settings, with the address of the server or of the proxy. */
export function runnable(one: Case, clients: Cases["clients"], baseUrl: string): RunnableCase {
  const settingsOf = (client: string | ClientSettings): ClientSettings => {
    const settings = typeof client === "string" ? clients[client] : client;
    if (settings === undefined) {
      throw new Error(`${one.name}: there is no client "${client}"`);
    }
    return { base_url: baseUrl, ...settings };
  };
  return {
    name: one.name,
    client: settingsOf(one.client ?? "sandbox"),
    steps: one.steps.map(({ as, ...step }) => (as === undefined ? step : { ...step, as: settingsOf(as) })),
  };
}
