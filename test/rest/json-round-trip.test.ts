import {
  create,
  type DescField,
  type DescMessage,
  equals,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, anyPack, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { EveryTypeSchema, InnerSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { LegacySchema } from "./gen/everytype/v1/proto2_pb.ts";
import { jsonOptions, readText, writeText } from "./json-support.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const int32 = fc.integer({ min: -2147483648, max: 2147483647 });
const uint32 = fc.integer({ min: 0, max: 4294967295 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

function scalars(scalar: ScalarType): fc.Arbitrary<unknown> {
  switch (scalar) {
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 });
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return int32;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
  }
}

const maskPath = fc.stringMatching(/^[a-z]{1,5}(_[a-z]{1,5}){0,2}(\.[a-z]{1,5}(_[a-z]{1,5})?)?$/);
const structs = fc.dictionary(text, fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }).map(withoutNegativeZero));

/** `JSON.stringify`, which writes what a Struct holds, has no -0. */
function withoutNegativeZero(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}

/** Initial values of a message type; for types with fields of their own, of a few of them. */
function inits(desc: DescMessage, depth: number): fc.Arbitrary<unknown> {
  const sign = fc.constantFrom(1, -1);
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return fc.record({
        seconds: fc.bigInt({ min: -62135596800n, max: 253402300799n }),
        nanos: fc.integer({ min: 0, max: 999_999_999 }),
      });
    case "google.protobuf.Duration":
      return fc
        .tuple(sign, fc.integer({ min: 0, max: 315_575_999_999 }), fc.integer({ min: 0, max: 999_999_999 }))
        .map(([factor, seconds, nanos]) => ({ seconds: BigInt(factor * seconds), nanos: factor * nanos + 0 }));
    case "google.protobuf.FieldMask":
      return fc.record({ paths: fc.array(maskPath, { maxLength: 4 }) });
    case "google.protobuf.Struct":
      return structs;
    case "google.protobuf.Value":
      return fc.oneof(
        fc.constant({ kind: { case: "nullValue", value: 0 } }),
        text.map((value) => ({ kind: { case: "stringValue", value } })),
        fc.boolean().map((value) => ({ kind: { case: "boolValue", value } })),
        fc.integer().map((value) => ({ kind: { case: "numberValue", value } })),
      );
    case "google.protobuf.ListValue":
      return fc.record({ values: fc.array(text.map((value) => ({ kind: { case: "stringValue", value } }))) });
    case "google.protobuf.Any":
      return fc.oneof(
        fc.constant({}),
        inits(InnerSchema, depth).map((init): Any => anyPack(InnerSchema, create(InnerSchema, Object(init)))),
      );
    default:
      break;
  }
  if (isWrapperDesc(desc)) {
    return fc.record({ value: scalars(desc.fields[0].scalar) });
  }
  if (depth === 0 || desc.fields.length === 0) {
    return fc.constant({});
  }
  return fc
    .uniqueArray(fc.constantFrom(...desc.fields), { maxLength: 12 })
    .chain((fields) => fc.tuple(...fields.map((field) => assignments(field, depth - 1))))
    .map((members) => Object.assign({}, ...members));
}

/** Initial values that set one field. */
function assignments(field: DescField, depth: number): fc.Arbitrary<object> {
  const name = field.localName;
  if (field.oneof !== undefined) {
    const { oneof } = field;
    return values(field, depth).map((value) => ({ [oneof.localName]: { case: name, value } }));
  }
  if (field.fieldKind === "list") {
    return fc.array(values(field, depth), { maxLength: 4 }).map((items) => ({ [name]: items }));
  }
  if (field.fieldKind === "map") {
    const entries = fc.array(fc.tuple(scalars(field.mapKey).map(String), values(field, depth)), { maxLength: 4 });
    return entries.map((pairs) => ({ [name]: Object.fromEntries(pairs) }));
  }
  return values(field, depth).map((value) => ({ [name]: value }));
}

function values(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.scalar !== undefined) {
    const isText = field.fieldKind !== "map" && field.longAsString;
    return isText ? scalars(field.scalar).map(String) : scalars(field.scalar);
  }
  if (field.enum !== undefined) {
    return fc.constantFrom(...field.enum.values.map(({ number }) => number));
  }
  if (field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(field.message)) {
    return scalars(field.message.fields[0].scalar);
  }
  return inits(field.message, depth);
}

function messages<Desc extends DescMessage>(desc: Desc): fc.Arbitrary<Message> {
  return inits(desc, 3).map((init) => create(desc, Object(init)));
}

/** Whether two messages are the same, also where they hold NaN or -0. */
function isSame(desc: DescMessage, left: Message, right: Message): boolean {
  return Buffer.from(toBinary(desc, left)).equals(toBinary(desc, right)) || equals(desc, left, right);
}

describe("message → JSON → message is the identity", () => {
  const options = jsonOptions(protoJson);
  test("in ProtoJSON, for every type of field", () => {
    fc.assert(
      fc.property(messages(EveryTypeSchema), (message) => {
        const json = writeText(EveryTypeSchema, message, options);
        const read = readText(EveryTypeSchema, json, options);
        expect(read.violations).toEqual([]);
        expect(isSame(EveryTypeSchema, read.message, message), json).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  test("in ProtoJSON, for proto2", () => {
    fc.assert(
      fc.property(messages(LegacySchema), (message) => {
        const complete = Object.assign(message, { name: "always set" });
        const read = readText(LegacySchema, writeText(LegacySchema, complete, options), options);
        expect(read.violations).toEqual([]);
        expect(isSame(LegacySchema, read.message, complete)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("JSON → message → JSON in restJson", () => {
    const restOptions = jsonOptions({ ...restJson, acceptsNul: true });
    fc.assert(
      fc.property(messages(EveryTypeSchema), (message) => {
        // What means "not given" is written, but not taken.
        const json = writeText(EveryTypeSchema, message, restOptions).replaceAll('"unspecified"', '"red"');
        const read = readText(EveryTypeSchema, json, restOptions);
        expect(read.violations).toEqual([]);
        expect(writeText(EveryTypeSchema, read.message, restOptions)).toBe(json);
      }),
      { numRuns: 300 },
    );
  });
});
