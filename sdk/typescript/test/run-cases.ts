/** Runs `sdk/cases.yaml`, as `sdk/test/run.ts` gives it, with this SDK. The format is documented at the head of that file. */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Byond, ByondError, type ByondOptions, sandboxCode, signWebhook, verifyWebhook } from "../src/index.ts";
import { problemOf } from "./match.ts";

type Values = Record<string, unknown>;

interface Step {
  readonly call?: string;
  readonly iterate?: string;
  readonly stream?: string;
  readonly helper?: string;
  readonly as?: Values;
  readonly with?: Values;
  readonly options?: Values;
  readonly take?: number;
  readonly eventually?: boolean;
  readonly repeat?: number;
  readonly expect?: unknown;
  readonly error?: Values;
  readonly save?: Readonly<Record<string, string>>;
}

interface Input {
  readonly transport: "rest" | "grpc";
  readonly operations: Readonly<
    Record<string, { readonly path: readonly string[]; readonly parameters: readonly string[] }>
  >;
  readonly cases: readonly { readonly name: string; readonly client: Values; readonly steps: readonly Step[] }[];
}

const input: Input = JSON.parse(await readFile(process.argv[2] ?? "", "utf8"));

const grpc = input.transport === "grpc" ? (await import("../src/grpc.ts")).grpcTransport : undefined;

function makeClient(settings: Values): Byond {
  const options: ByondOptions = toCamelCase(settings) as ByondOptions;
  // Headers are no parameters: their names stay.
  return new Byond({ ...options, headers: settings.headers as Record<string, string>, transport: grpc });
}

async function carryOut(client: Byond, step: Step): Promise<unknown> {
  const parameters = step.with ?? {};
  if (step.helper !== undefined) {
    return callHelper(step.helper, parameters);
  }
  const outcome = callMethod(client, step.call ?? step.iterate ?? step.stream ?? "", parameters, step.options);
  if (step.call !== undefined) {
    return outcome;
  }
  const elements: unknown[] = [];
  if (step.take === 0) {
    return elements;
  }
  for await (const element of outcome as AsyncIterable<unknown>) {
    elements.push(element);
    if (elements.length === step.take) break;
  }
  return elements;
}

/** Path parameters are arguments by position, then come the parameters, if there are any, and the options. */
function callMethod(client: Byond, id: string, parameters: Values, options: Values = {}): unknown {
  const [service = "", method = ""] = id.split(".").map(camelCase);
  const path = input.operations[id]?.path ?? [];
  const others = Object.fromEntries(Object.entries(parameters).filter(([name]) => !path.includes(name)));
  const target = (client as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>)[service];
  const args = path.map((name) => parameters[name]);
  const hasParameters = input.operations[id]?.parameters.length !== 0;
  return target?.[method]?.(...args, ...(hasParameters ? [toCamelCase(others)] : []), toCamelCase(options));
}

async function callHelper(name: string, parameters: Values): Promise<unknown> {
  const { headers, body, secret, id } = parameters as {
    headers: Record<string, string>;
    body: string;
    secret: string;
    id: string;
  };
  switch (name) {
    case "verify_webhook":
      return verifyWebhook(headers, body, secret);
    case "sign_webhook":
      return verifyWebhook(await signWebhook({ id, body, secret }), body, secret);
    case "sandbox_code":
      return sandboxCode(Number(parameters.code_length));
    default:
      throw new Error(`there is no helper ${name}`);
  }
}

/** What is wrong with a step; undefined if nothing is. Keeps what it saves. */
async function runStep(client: Byond, step: Step, saved: Values): Promise<string | undefined> {
  let outcome: unknown;
  try {
    outcome = toWire(await carryOut(client, step));
    if (step.error !== undefined) {
      return `it did not fail, but returned ${JSON.stringify(outcome)}`;
    }
  } catch (error) {
    if (step.error === undefined || !(error instanceof ByondError)) {
      return error instanceof ByondError
        ? `${error.code}: ${error.message} ${JSON.stringify(error.fields)}`
        : String((error as Error).stack);
    }
    outcome = toWire(errorValues(error), true);
  }
  const problem = problemOf(outcome, step.error ?? step.expect, "");
  if (problem === undefined) {
    for (const [name, path] of Object.entries(step.save ?? {})) {
      saved[name] = path.split(".").reduce((value, key) => (key === "" ? value : (value as Values)[key]), outcome);
    }
  }
  return problem;
}

async function runCase({ client: settings, steps }: Input["cases"][number]): Promise<string | undefined> {
  const saved: Values = {};
  const client = makeClient(settings);
  for (const [index, template] of steps.entries()) {
    for (let times = template.repeat ?? 1; times > 0; times--) {
      const step = fillIn(template, saved) as Step;
      const chosen = step.as === undefined ? client : makeClient(step.as);
      let problem = await runStep(chosen, step, saved);
      for (const endMs = Date.now() + 10_000; problem !== undefined && step.eventually && Date.now() < endMs; ) {
        await pause(100);
        problem = await runStep(chosen, step, saved);
      }
      if (problem !== undefined) {
        return `step ${index + 1} (${step.call ?? step.iterate ?? step.stream ?? step.helper}): ${problem}`;
      }
    }
  }
  return undefined;
}

function errorValues(error: ByondError): Values {
  const { code, status, message, fields, requestId, retryAfter, requiredScope, reason, spent, resetsAt } = error;
  return {
    code,
    status,
    message,
    fields,
    request_id: requestId,
    retry_after: retryAfter,
    required_scope: requiredScope,
    reason,
    spent,
    resets_at: resetsAt,
  };
}

function fillIn(template: unknown, values: Values): unknown {
  if (typeof template === "string") {
    const [, whole = ""] = /^\$\{(\w+)\}$/.exec(template) ?? [];
    return whole in values
      ? values[whole]
      : template.replace(/\$\{(\w+)\}/g, (text, name) => String(values[name] ?? text));
  }
  return mapValues(template, (value) => fillIn(value, values));
}

/** Members whose keys are data. */
const maps: ReadonlySet<string> = new Set(["metadata", "problems", "countries", "lineTypes", "formats"]);

/** A result as the JSON of the API. */
function toWire(value: unknown, isData = false): unknown {
  if (value instanceof Date) {
    return `${value.toISOString().slice(0, 19)}Z`;
  }
  return mapValues(
    value,
    (inner, name) => toWire(inner, maps.has(name)),
    (name) => (isData ? name : snakeCase(name)),
  );
}

function toCamelCase(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]));
}

function mapValues(
  value: unknown,
  map: (value: unknown, name: string) => unknown,
  rename = (name: string) => name,
): unknown {
  if (Array.isArray(value)) {
    return value.map((element) => map(element, ""));
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), map(inner, name)]))
    : value;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

for (const one of input.cases) {
  const reason = await runCase(one).catch((error: unknown) => String(error));
  const result = reason === undefined ? { status: "passed" } : { status: "failed", reason };
  console.log(JSON.stringify({ name: one.name, ...result }));
}
process.exit();
