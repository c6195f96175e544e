/** Messages of any type out of their descriptor: most are what the API documents, some hold what no client should send. */
import {
  clone,
  create,
  createRegistry,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { ViolationCollector } from "@byond/rest/field-violations";
import { JsonReader } from "@byond/rest/json/json-reader";
import { Examples } from "@byond/rest/openapi/example-messages";
import { documentedExamples } from "../../../src/capabilities/reference/openapi/field-examples.ts";
import { restStyle } from "../../../src/rpc/rest-style.ts";
import type { Random } from "../../support/random.ts";

const examples = new Examples(restStyle, documentedExamples);
const reader = new JsonReader({ style: restStyle, ignoresUnknownFields: false, registry: createRegistry() });

const exampleByType = new Map<DescMessage, Message>();

/** The example of a message in the reference, with all its fields. */
function exampleOf(desc: DescMessage): Message {
  const known = exampleByType.get(desc) ?? makeExample(desc);
  exampleByType.set(desc, known);
  return clone(desc, known);
}

function makeExample(desc: DescMessage): Message {
  const json = Object.fromEntries(
    desc.fields.map((field) => [field.name, examples.anyOfField(field, "request")] as const),
  );
  return reader.message(desc)(json, new ViolationCollector()) ?? create(desc);
}

const oddTexts = [
  "",
  " ",
  "x",
  "\0",
  "a\u0000b",
  "é",
  "🏴‍☠️",
  "\u202e",
  "+6591234567",
  "ada@example.com",
  "x".repeat(300),
] as const;
const oddIntegers = [0, 1, -1, 3, 4, 11, 1_000, 2_147_483_647, -2_147_483_648] as const;
const oddLongs = [0n, 1n, -1n, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n] as const;
const oddNumbers = [0, -0, 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY] as const;
const oddSeconds = [0n, 1n, 4_102_444_800n, 253_402_300_799n, 253_402_300_800n, -62_135_596_801n] as const;
const oddNanos = [0, 1, 999_999_999, 1_000_000_000, -1] as const;

/** A field of a number that no message has. */
const unknownField = { no: 5_000, wireType: 0, data: new Uint8Array([1]) } as const;

/** How odd messages are: how likely a field is left out, and how likely it holds something else than its example. */
export interface Oddity {
  readonly missing: number;
  readonly odd: number;
  readonly unknown: number;
}

/** An answer has to have its required fields, and something that JSON can write. */
export const tame: Oddity = { missing: 0.2, odd: 0.03, unknown: 0.01 };
export const wild: Oddity = { missing: 0.25, odd: 0.25, unknown: 0.1 };

/** A message that the random numbers choose. */
export function generateMessage(random: Random, desc: DescMessage, oddity: Oddity): Message {
  const message = exampleOf(desc);
  change(random, reflect(desc, message), oddity);
  if (random.chance(oddity.unknown)) {
    message.$unknown = [{ ...unknownField }];
  }
  return message;
}

function change(random: Random, message: ReflectMessage, oddity: Oddity): void {
  for (const field of message.fields) {
    if (random.chance(oddity.missing)) {
      message.clear(field);
    } else if (random.chance(oddity.odd)) {
      makeOdd(random, message, field);
    } else if (field.fieldKind === "message" && message.isSet(field)) {
      change(random, message.get(field), { ...oddity, missing: oddity.missing / 2 });
    }
  }
}

function makeOdd(random: Random, message: ReflectMessage, field: DescField): void {
  switch (field.fieldKind) {
    case "scalar":
      message.set(field, oddScalar(random, field.scalar));
      return;
    case "enum":
      message.set(field, random.pick([0, 1, 2, 3, 4_242]));
      return;
    case "message":
      oddMessage(random, message, field);
      return;
    case "list":
      oddList(random, message, field);
      return;
    case "map":
      oddMap(random, message, field);
      return;
  }
}

function oddMessage(random: Random, message: ReflectMessage, field: DescField & { fieldKind: "message" }): void {
  if (field.message.typeName === TimestampSchema.typeName) {
    const time = create(TimestampSchema, { seconds: random.pick(oddSeconds), nanos: random.pick(oddNanos) });
    message.set(field, reflect(TimestampSchema, time));
    return;
  }
  const held = reflect(field.message);
  change(random, held, { missing: 0.5, odd: 0.5, unknown: 0 });
  if (random.chance(0.2)) {
    held.setUnknown([{ ...unknownField }]);
  }
  message.set(field, held);
}

function oddList(random: Random, message: ReflectMessage, field: DescField & { fieldKind: "list" }): void {
  const list = message.get(field);
  const length = random.pick([0, 1, 2, 30]);
  for (let index = 0; index < length; index += 1) {
    if (field.listKind === "scalar") {
      list.add(oddScalar(random, field.scalar));
    } else if (field.listKind === "enum") {
      list.add(random.pick([0, 1, 4_242]));
    }
  }
}

function oddMap(random: Random, message: ReflectMessage, field: DescField & { fieldKind: "map" }): void {
  if (field.mapKind !== "scalar" || field.mapKey !== ScalarType.STRING) {
    return;
  }
  const map = message.get(field);
  const size = random.pick([1, 2, 20]);
  for (let index = 0; index < size; index += 1) {
    map.set(`${random.pick(oddTexts)}${index}`, oddScalar(random, field.scalar));
  }
}

function oddScalar(random: Random, type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return random.pick(oddTexts);
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return new Uint8Array([1, 2, 255]);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return random.pick(oddNumbers);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return random.pick([0, 1, 4_294_967_295]);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return random.pick([0n, 1n, 18_446_744_073_709_551_615n]);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return random.pick(oddLongs);
    default:
      return random.pick(oddIntegers);
  }
}
