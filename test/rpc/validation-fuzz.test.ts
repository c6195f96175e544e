/**
 * The chain's verdict on a request is protovalidate's, and that of what no request may hold whatever its schema allows. Nothing is lost on
 * the way into the words of the API.
 */
import { type DescField, type DescMethodUnary, fromBinary, isMessage, toBinary } from "@bufbuild/protobuf";
import { isReflectMessage, type Path, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { isListWrapper } from "@byond/rest/json/json-style";
import { expect, test } from "vitest";
import type { AppError } from "../../src/errors.ts";
import { hasSideEffects } from "../../src/idempotency/idempotency-interceptor.ts";
import { compileRequestChecks } from "../../src/rpc/validation.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { Random } from "../support/random.ts";
import { generateMessage, tame, wild } from "./differential/generated-message.ts";
import { fieldChecks, services, unaryRpcs } from "./differential/two-servers.ts";

const messages = fuzzRuns({ short: 10_000, long: 100_000 });

type Step = string | number;

/** A path as errors write it: a message that only wraps a list has the name of its field, and long names are cut. */
function written(steps: readonly Step[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === "number") {
      return `${path}[${step}]`;
    }
    const name = (step.length > 64 ? `${step.slice(0, 64)}…` : step).toWellFormed();
    return path === "" ? name : `${path}.${name}`;
  }, "");
}

function stepsOf(path: Path): Step[] {
  return path.flatMap((step, depth): Step[] => {
    switch (step.kind) {
      case "field":
        return depth > 0 && isListWrapper(step.parent) ? [] : [step.name];
      case "list_sub":
        return [step.index];
      case "map_sub":
        return [String(step.key)];
      default:
        throw new TypeError(`a rule of a ${step.kind}: teach this test about it`);
    }
  });
}

/** The limits of what JSON can write: the years 0001 to 9999, and nanoseconds of a second. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

type Found = readonly (readonly Step[])[];

/** What no request may hold: unknown fields beside effects, U+0000, numbers that are no value of their enum, impossible times. */
function forbiddenIn(message: ReflectMessage, refusesUnknown: boolean, at: readonly Step[] = []): Found {
  const unknown = refusesUnknown ? (message.getUnknown() ?? []) : [];
  return [
    ...unknown.map(({ no }) => [...at, `field ${no}`]),
    ...(isMessage(message.message, TimestampSchema) && !isRepresentable(message.message) ? [at] : []),
    ...message.fields
      .filter((field) => message.isSet(field))
      .flatMap((field) => {
        const isStep = at.length === 0 || !isListWrapper(message.desc);
        return forbiddenInField(message, field, refusesUnknown, isStep ? [...at, field.name] : at);
      }),
  ];
}

function isRepresentable({ seconds, nanos }: Timestamp): boolean {
  return seconds >= firstSecond && seconds <= lastSecond && nanos >= 0 && nanos <= 999_999_999;
}

function forbiddenInField(
  message: ReflectMessage,
  field: DescField,
  refusesUnknown: boolean,
  at: readonly Step[],
): Found {
  const isForbidden = (value: unknown) =>
    field.enum === undefined
      ? typeof value === "string" && value.includes("\0")
      : !field.enum.values.some(({ number }) => number === value);
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
      return isForbidden(message.get(field)) ? [at] : [];
    case "message":
      return forbiddenIn(message.get(field), refusesUnknown, at);
    case "list":
      if (field.listKind === "message") {
        return [...message.get(field)].flatMap((item, index) =>
          isReflectMessage(item) ? forbiddenIn(item, refusesUnknown, [...at, index]) : [],
        );
      }
      return [...message.get(field)].flatMap((item, index) => (isForbidden(item) ? [[...at, index]] : []));
    case "map":
      return [...message.get(field)].flatMap(([key, value]) =>
        isForbidden(value) || String(key).includes("\0") ? [[...at, String(key)]] : [],
      );
  }
}

/** Further ones are only counted. */
const maxListed = 20;

function expectVerdict(error: AppError | undefined, expected: ReadonlySet<string>, context: object): void {
  const fields = Object.keys(error?.details.fields ?? {});
  const code = expected.size === 0 ? undefined : "validation_error";
  if (error?.code !== code || fields.length !== Math.min(expected.size, maxListed)) {
    expect({ ...context, code: error?.code, fields }).toEqual({ ...context, code, fields: [...expected] });
  }
  const unexpected = fields.filter((field) => !expected.has(field));
  if (unexpected.length > 0) {
    expect({ ...context, fields }).toEqual({ ...context, fields: [...expected] });
  }
}

test(`${messages} random messages are refused for the fields that protovalidate refuses, and for what no request may hold`, () => {
  const validator = createValidator();
  const checkBySchema = compileRequestChecks(services, []);
  const checkAll = compileRequestChecks(services, fieldChecks);
  const random = new Random(7);
  const none = { listed: [], unlisted: 0 };
  const [first, ...others] = unaryRpcs;
  if (first === undefined) {
    throw new TypeError("there are no RPCs");
  }
  const rpcs: readonly [DescMethodUnary, ...DescMethodUnary[]] = [first, ...others];
  let [refused, refusedByForm, refusedByCapability] = [0, 0, 0];
  for (let count = 0; count < messages; count += 1) {
    const rpc = random.pick(rpcs);
    const { input } = rpc;
    // As it arrives: a message that was encoded and read again.
    const generated = generateMessage(random, input, random.chance(0.5) ? tame : wild);
    const message = fromBinary(input, toBinary(input, generated));
    const result = validator.validate(input, message);
    if (result.kind === "error") {
      throw result.error;
    }
    const ofSchema = (result.violations ?? []).map(({ field }) => written(stepsOf(field)));
    const forbidden = forbiddenIn(reflect(input, message), hasSideEffects(rpc)).map(written);
    const expected = new Set([...ofSchema, ...forbidden]);
    const context = { count, rpc: rpc.name };
    expectVerdict(checkBySchema(rpc, message, none), expected, context);
    const problems = fieldChecks.flatMap(({ schema, problems }) => (schema === input ? [problems(message)] : []));
    const ofCapability = problems.flatMap((byPath) => Object.keys(byPath));
    expectVerdict(checkAll(rpc, message, none), new Set([...expected, ...ofCapability]), context);
    refused += ofSchema.length > 0 ? 1 : 0;
    refusedByForm += forbidden.length > 0 && ofSchema.length === 0 ? 1 : 0;
    refusedByCapability += ofCapability.length > 0 && expected.size === 0 ? 1 : 0;
  }
  // The generator makes all kinds of them.
  expect(refused).toBeGreaterThan(messages / 10);
  expect(refused).toBeLessThan(messages * 0.9);
  expect(refusedByForm).toBeGreaterThan(messages / 100);
  expect(refusedByCapability).toBeGreaterThan(messages / 1_000);
});
