import { create, type DescField, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, DurationSchema, EmptySchema, NullValue, TimestampSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { isListWrapper, jsonEnumNames, protoJson, restJson } from "../../src/rest/json/json-style.ts";
import {
  EveryType_ColorSchema,
  EveryTypeSchema,
  file_everytype_v1_every_type,
  InnerSchema,
  ListOfNamesSchema,
  MatrixSchema,
} from "./gen/everytype/v1/every_type_pb.ts";
import { LegacySchema } from "./gen/everytype/v1/proto2_pb.ts";
import { jsonOptions, writeText } from "./json-support.ts";

const restOptions = jsonOptions(restJson);
const proto = jsonOptions(protoJson);

type Fields = MessageInitShape<typeof EveryTypeSchema>;

/** The one member that a message with one field has in ProtoJSON, as text. */
function writeProto(fields: Fields): string {
  return writeText(EveryTypeSchema, create(EveryTypeSchema, fields), proto).slice(1, -1);
}

/** What restJson writes for one field. */
function writeHouse(fields: Fields, name: string): string {
  const text = writeText(EveryTypeSchema, create(EveryTypeSchema, fields), restOptions);
  const value = JSON.parse(text)[name];
  return JSON.stringify(value);
}

describe("ProtoJSON writes", () => {
  const cases: [Fields, string][] = [
    [{ stringField: "x" }, '"stringField":"x"'],
    [{ stringField: 'a"b\\c\n\u0001ü📚' }, '"stringField":"a\\"b\\\\c\\n\\u0001ü📚"'],
    [{ stringField: "\u2028</script>" }, '"stringField":"\u2028</script>"'],
    [{ stringField: "\ud800" }, '"stringField":"\\ud800"'],
    [{ stringField: "" }, ""],
    [{ boolField: true }, '"boolField":true'],
    [{ boolField: false }, ""],
    [{ optionalBool: false }, '"optionalBool":false'],
    [{ int32Field: -5 }, '"int32Field":-5'],
    [{ int32Field: 0 }, ""],
    [{ optionalInt32: 0 }, '"optionalInt32":0'],
    [{ uint32Field: 4294967295 }, '"uint32Field":4294967295'],
    [{ int64Field: -9223372036854775808n }, '"int64Field":"-9223372036854775808"'],
    [{ int64Field: 0n }, ""],
    [{ optionalInt64: 0n }, '"optionalInt64":"0"'],
    [{ uint64Field: 18446744073709551615n }, '"uint64Field":"18446744073709551615"'],
    [{ jsString: "5" }, '"jsString":"5"'],
    [{ jsString: "0" }, ""],
    [{ doubleField: 1.5 }, '"doubleField":1.5'],
    [{ doubleField: 1e300 }, '"doubleField":1e+300'],
    [{ doubleField: 0 }, ""],
    [{ doubleField: -0 }, '"doubleField":-0'],
    [{ doubleField: Number.NaN }, '"doubleField":"NaN"'],
    [{ doubleField: Number.POSITIVE_INFINITY }, '"doubleField":"Infinity"'],
    [{ doubleField: Number.NEGATIVE_INFINITY }, '"doubleField":"-Infinity"'],
    [{ floatField: Math.fround(0.1) }, '"floatField":0.1'],
    [{ floatField: 0.1 }, '"floatField":0.1'],
    [{ floatField: 16777216 }, '"floatField":16777216'],
    [{ floatField: 3.4028234663852886e38 }, '"floatField":3.4028235e+38'],
    [{ floatField: 1.401298464324817e-45 }, '"floatField":1.4013e-45'],
    [{ floatField: -0 }, '"floatField":-0'],
    [{ bytesField: new Uint8Array([251, 255]) }, '"bytesField":"+/8="'],
    [{ bytesField: new Uint8Array() }, ""],
    [{ optionalBytes: new Uint8Array() }, '"optionalBytes":""'],
    [{ colorField: 1 }, '"colorField":"COLOR_RED"'],
    [{ colorField: -1 }, '"colorField":"COLOR_NEGATIVE"'],
    [{ colorField: 0 }, ""],
    [{ optionalColor: 0 }, '"optionalColor":"COLOR_UNSPECIFIED"'],
    [{ innerField: {} }, '"innerField":{}'],
    [{ innerField: { text: "x", number: 5 } }, '"innerField":{"text":"x","number":5}'],
    [{ listOfNamesField: { names: [] } }, '"listOfNamesField":{}'],
    [{ listOfNamesField: { names: ["a"] } }, '"listOfNamesField":{"names":["a"]}'],
    [{ timestampField: { seconds: 1781516520n } }, '"timestampField":"2026-06-15T09:42:00Z"'],
    [{ timestampField: { seconds: 0n, nanos: 5 } }, '"timestampField":"1970-01-01T00:00:00.000000005Z"'],
    [{ timestampField: { seconds: 0n, nanos: 500_000_000 } }, '"timestampField":"1970-01-01T00:00:00.500Z"'],
    [{ timestampField: { seconds: 0n, nanos: 1000 } }, '"timestampField":"1970-01-01T00:00:00.000001Z"'],
    [{ timestampField: { seconds: -62135596800n } }, '"timestampField":"0001-01-01T00:00:00Z"'],
    [{ durationField: {} }, '"durationField":"0s"'],
    [{ durationField: { seconds: -1n, nanos: -500_000_000 } }, '"durationField":"-1.500s"'],
    [{ durationField: { nanos: -1 } }, '"durationField":"-0.000000001s"'],
    [{ fieldMaskField: { paths: ["a_b", "c.d_e"] } }, '"fieldMaskField":"aB,c.dE"'],
    [{ fieldMaskField: { paths: [] } }, '"fieldMaskField":""'],
    [{ structField: { a: [1, null] } }, '"structField":{"a":[1,null]}'],
    [{ structField: {} }, '"structField":{}'],
    [{ valueField: { kind: { case: "nullValue", value: NullValue.NULL_VALUE } } }, '"valueField":null'],
    [{ valueField: { kind: { case: "numberValue", value: 5 } } }, '"valueField":5'],
    [{ listValueField: { values: [] } }, '"listValueField":[]'],
    [{ emptyField: {} }, '"emptyField":{}'],
    [{ optionalInt32: undefined }, ""],
    [{ stringWrapperField: "" }, '"stringWrapperField":""'],
    [{ int64WrapperField: 5n }, '"int64WrapperField":"5"'],
    [{ floatWrapperField: Math.fround(0.3) }, '"floatWrapperField":0.3'],
    [{ boolWrapperItems: [{ value: false }] }, '"boolWrapperItems":[false]'],
    [{ stringList: ["a", "b"] }, '"stringList":["a","b"]'],
    [{ stringList: [] }, ""],
    [{ int64List: [1n] }, '"int64List":["1"]'],
    [{ stringMap: { 'k"': "v" } }, '"stringMap":{"k\\"":"v"}'],
    [{ stringMap: {} }, ""],
    [{ byInt64: { "5": "x" } }, '"byInt64":{"5":"x"}'],
    [{ byBool: { true: "x" } }, '"byBool":{"true":"x"}'],
    [{ structMap: { a: { b: 1 } } }, '"structMap":{"a":{"b":1}}'],
    [{ choice: { case: "choiceString", value: "" } }, '"choiceString":""'],
    [{ choice: { case: "choiceInt64Wrapper", value: { value: 5n } } }, '"choiceInt64Wrapper":"5"'],
    [{ choice: { case: "choiceNullValue", value: 0 } }, '"choiceNullValue":null'],
    [{ renamed: "x" }, '"theOtherName":"x"'],
    [{ anyField: {} }, '"anyField":{}'],
    [
      { anyField: anyPack(InnerSchema, create(InnerSchema, { text: "x" })) },
      '"anyField":{"@type":"type.googleapis.com/everytype.v1.Inner","text":"x"}',
    ],
    [
      { anyField: anyPack(EmptySchema, create(EmptySchema)) },
      '"anyField":{"@type":"type.googleapis.com/google.protobuf.Empty"}',
    ],
    [
      { anyField: anyPack(DurationSchema, create(DurationSchema, { seconds: 1n })) },
      '"anyField":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}',
    ],
    [{}, ""],
  ];
  test.each(cases)("%o as %s", (fields, expected) => {
    expect(writeProto(fields)).toBe(expected);
  });
});

test("a field that the style omits when it is unset is left out, and written when it is set", () => {
  const style = { ...restJson, omitsUnset: ({ name }: DescField) => name.startsWith("optional_") };
  const write = (fields: Fields) =>
    JSON.parse(writeText(EveryTypeSchema, create(EveryTypeSchema, fields), jsonOptions(style)));
  expect(Object.keys(write({})).filter((name) => name.startsWith("optional_"))).toEqual([]);
  expect(write({ optionalInt32: 0 })).toMatchObject({ optional_int32: 0, int32_field: 0, inner_field: null });
});

describe("restJson writes", () => {
  const cases: [string, Fields, string][] = [
    ["string_field", {}, '""'],
    ["int32_field", {}, "0"],
    ["int64_field", {}, '"0"'],
    ["bool_field", {}, "false"],
    ["bytes_field", {}, '""'],
    ["double_field", {}, "0"],
    ["color_field", {}, '"unspecified"'],
    ["optional_string", {}, "null"],
    ["optional_string", { optionalString: "" }, '""'],
    ["optional_int32", {}, "null"],
    ["optional_color", {}, "null"],
    ["optional_color", { optionalColor: 2 }, '"deep_blue"'],
    ["color_field", { colorField: 1 }, '"red"'],
    ["color_field", { colorField: -1 }, '"negative"'],
    ["color_items", { colorItems: [1, 2] }, '["red","deep_blue"]'],
    ["inner_field", {}, "null"],
    ["inner_field", { innerField: {} }, '{"text":"","number":0}'],
    ["timestamp_field", {}, "null"],
    ["timestamp_field", { timestampField: { seconds: 1781516520n, nanos: 999_999_999 } }, '"2026-06-15T09:42:00Z"'],
    ["timestamp_field", { timestampField: { seconds: -1n, nanos: 999_999_999 } }, '"1969-12-31T23:59:59Z"'],
    ["duration_field", { durationField: { seconds: 3n, nanos: 500_000_000 } }, '"3.500s"'],
    ["field_mask_field", { fieldMaskField: { paths: ["a_b", "c"] } }, '"a_b,c"'],
    ["string_list", {}, "[]"],
    ["string_map", {}, "{}"],
    ["inner_items", { innerItems: [{}] }, '[{"text":"","number":0}]'],
    ["list_of_names_field", {}, "null"],
    ["list_of_names_field", { listOfNamesField: {} }, "[]"],
    ["list_of_names_field", { listOfNamesField: { names: ["a"] } }, '["a"]'],
    ["list_of_names_items", { listOfNamesItems: [{ names: ["a"] }, {}] }, '[["a"],[]]'],
    ["list_of_names_map", { listOfNamesMap: { k: { names: ["a"] } } }, '{"k":["a"]}'],
    ["matrix_field", { matrixField: { rows: [{ cells: [1, 2] }, {}] } }, "[[1,2],[]]"],
    ["string_wrapper_field", {}, "null"],
    ["string_wrapper_field", { stringWrapperField: "" }, '""'],
    ["choice_string", {}, "null"],
    ["choice_string", { choice: { case: "choiceBool", value: true } }, "null"],
    ["choice_bool", { choice: { case: "choiceBool", value: false } }, "false"],
    ["struct_field", {}, "null"],
    ["struct_field", { structField: { aB: 1 } }, '{"aB":1}'],
    ["value_field", {}, "null"],
    ["null_value_field", {}, "null"],
    ["renamed", { renamed: "x" }, '"x"'],
    ["theOtherName", {}, "undefined"],
  ];
  test.each(cases)("%s of %o as %s", (name, fields, expected) => {
    expect(String(writeHouse(fields, name))).toBe(expected);
  });

  test("every field of a message, set or not, in order of declaration", () => {
    const names = Object.keys(JSON.parse(writeText(EveryTypeSchema, create(EveryTypeSchema), restOptions)));
    expect(names).toEqual(EveryTypeSchema.fields.map((field) => field.name));
  });

  test("a list wrapper that is the whole message as an object", () => {
    expect(writeText(ListOfNamesSchema, create(ListOfNamesSchema, { names: ["a"] }), restOptions)).toBe(
      '{"names":["a"]}',
    );
    expect(writeText(MatrixSchema, create(MatrixSchema, { rows: [{}] }), restOptions)).toBe('{"rows":[[]]}');
  });
});

test("unset proto2 fields are null (restJson) or left out (ProtoJSON), whatever their defaults", () => {
  const message = create(LegacySchema, { name: "x", size: 1 });
  expect(writeText(LegacySchema, message, restOptions)).toBe(
    '{"name":"x","count":null,"size":"small","active":null,"sizes":[],"detail":null,"blob":null}',
  );
  expect(writeText(LegacySchema, message, proto)).toBe('{"name":"x","size":"SIZE_SMALL"}');
  expect(writeText(LegacySchema, create(LegacySchema, { count: 0 }), proto)).toBe('{"count":0}');
});

describe("a value without a JSON form throws", () => {
  const init = (fields: Fields) => create(EveryTypeSchema, fields);
  test.each<[string, DescMessage, Message]>([
    ["a timestamp before the year 1", TimestampSchema, create(TimestampSchema, { seconds: -62135596801n })],
    ["a timestamp after the year 9999", TimestampSchema, create(TimestampSchema, { seconds: 253402300800n })],
    ["a timestamp with negative nanoseconds", TimestampSchema, create(TimestampSchema, { nanos: -1 })],
    ["a duration of mixed signs", DurationSchema, create(DurationSchema, { seconds: 1n, nanos: -1 })],
    ["a duration that is too long", DurationSchema, create(DurationSchema, { seconds: 315576000001n })],
    ["a value without a kind", ValueSchema, create(ValueSchema)],
    ["a NaN in a value", ValueSchema, create(ValueSchema, { kind: { case: "numberValue", value: Number.NaN } })],
    ["an unknown type in Any", EveryTypeSchema, init({ anyField: { typeUrl: "x/no.Such" } })],
    ["a type without a URL in Any", EveryTypeSchema, init({ anyField: { typeUrl: "everytype.v1.Inner" } })],
    ["a path that would be another one", EveryTypeSchema, init({ fieldMaskField: { paths: ["aB"] } })],
    ["a path with a digit after an underscore", EveryTypeSchema, init({ fieldMaskField: { paths: ["a_1"] } })],
  ])("%s", (_, desc, message) => {
    expect(() => writeText(desc, message, proto)).toThrow();
  });

  test.each([
    ["string_field", "a string"],
    ["bool_field", "a boolean"],
    ["int32_field", "an integer"],
    ["int64_field", "a 64-bit integer"],
    ["double_field", "a number"],
    ["bytes_field", "bytes"],
    ["color_field", "an enum's number"],
    ["string_list", "a list"],
    ["string_map", "a map"],
    ["inner_field", "everytype.v1.Inner"],
    ["list_of_names_field", "everytype.v1.ListOfNames"],
  ])("a handler's answer that is not of its type: %s", (name, expected) => {
    const field = EveryTypeSchema.fields.find((candidate) => candidate.name === name);
    const message = Object.assign(create(EveryTypeSchema), { [field?.localName ?? ""]: Symbol("wrong") });
    expect(() => writeText(EveryTypeSchema, message, restOptions)).toThrow(`expected ${expected}`);
  });
});

test("the names of an enum in restJson leave out …_UNSPECIFIED", () => {
  expect(jsonEnumNames(EveryType_ColorSchema, restJson)).toEqual(["red", "deep_blue", "negative"]);
  expect(jsonEnumNames(EveryType_ColorSchema, protoJson)).toEqual([
    "COLOR_UNSPECIFIED",
    "COLOR_RED",
    "COLOR_DEEP_BLUE",
    "COLOR_NEGATIVE",
  ]);
});

test("a list wrapper is a message with exactly one field, which is repeated, and no well-known type", () => {
  const wrappers = file_everytype_v1_every_type.messages.filter(isListWrapper).map(({ name }) => name);
  expect(wrappers).toEqual(["ListOfNames", "Matrix", "Row"]);
  const wellKnown = EveryTypeSchema.fields.map(({ message }) => message).filter((message) => message !== undefined);
  expect(wellKnown.filter((message) => message.typeName.startsWith("google.")).some(isListWrapper)).toBe(false);
});
