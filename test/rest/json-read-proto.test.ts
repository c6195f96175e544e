import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type JsonStyle, protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { EveryTypeSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { LegacySchema } from "./gen/everytype/v1/proto2_pb.ts";
import { jsonOptions, readText } from "./json-support.ts";

const restOptions = jsonOptions(restJson);
const proto = jsonOptions(protoJson);

function readProto(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, proto);
}

type Fields = MessageInitShape<typeof EveryTypeSchema>;

describe("ProtoJSON reads", () => {
  const cases: [string, Fields][] = [
    ['"stringField":"x"', { stringField: "x" }],
    ['"string_field":"x"', { stringField: "x" }],
    ['"theOtherName":"x"', { renamed: "x" }],
    ['"renamed":"x"', { renamed: "x" }],
    ['"stringField":"\\u0000"', { stringField: "\0" }],
    ['"int32Field":"5"', { int32Field: 5 }],
    ['"int32Field":"1e2"', { int32Field: 100 }],
    ['"int32Field":"1.0"', { int32Field: 1 }],
    ['"uint32Field":"4294967295"', { uint32Field: 4294967295 }],
    ['"doubleField":"1.5"', { doubleField: 1.5 }],
    ['"doubleField":"-1.5e3"', { doubleField: -1500 }],
    ['"floatField":"1.5"', { floatField: 1.5 }],
    ['"colorField":"COLOR_RED"', { colorField: 1 }],
    ['"colorField":1', { colorField: 1 }],
    ['"colorField":"COLOR_UNSPECIFIED"', { colorField: 0 }],
    ['"nullValueField":"NULL_VALUE"', { nullValueField: 0 }],
    ['"nullValueField":null', { nullValueField: 0 }],
    ['"choiceNullValue":null', { choice: { case: "choiceNullValue", value: 0 } }],
    ['"valueField":null', { valueField: { kind: { case: "nullValue", value: 0 } } }],
    ['"choiceValue":null', { choice: { case: "choiceValue", value: { kind: { case: "nullValue", value: 0 } } } }],
    ['"timestampField":null', {}],
  ];
  test.each(cases)("%s", (member, expected) => {
    const { message, violations } = readProto(member);
    expect(violations).toEqual([]);
    expect(message).toEqual(create(EveryTypeSchema, expected));
  });

  test.each([
    ['"stringField":"a","string_field":"b"', "stringField: must be given once"],
    ['"stringField":null,"string_field":null', "stringField: must be given once"],
    ['"stringField":"\\ud800"', "stringField: must be valid Unicode text"],
    ['"int32Field":"0x10"', "int32Field: must be an integer"],
    ['"int32Field":" 5"', "int32Field: must be an integer"],
    ['"int32Field":"1.5"', "int32Field: must be an integer"],
    ['"int32Field":""', "int32Field: must be an integer"],
    ['"doubleField":"0x10"', "doubleField: must be a number"],
    ['"doubleField":".5"', "doubleField: must be a number"],
    ['"doubleField":"1e999"', "doubleField: must be between -1.7976931348623157e+308 and 1.7976931348623157e+308"],
    ['"colorField":"red"', "colorField: must be one of: COLOR_RED, COLOR_DEEP_BLUE, COLOR_NEGATIVE"],
    ['"colorField":1.5', "colorField: must be one of: COLOR_RED, COLOR_DEEP_BLUE, COLOR_NEGATIVE"],
    ['"colorField":2147483648', "colorField: must be one of: COLOR_RED, COLOR_DEEP_BLUE, COLOR_NEGATIVE"],
    ['"innerField":{"text":5}', "innerField.text: must be a string"],
    ['"fieldMaskField":"a_b"', "fieldMaskField: must be a comma-separated list of field paths"],
  ])("rejected: %s", (member, violation) => {
    expect(readProto(member).violations).toEqual([violation]);
  });
});

test("an open enum keeps numbers without a name", () => {
  expect(readProto('"colorField":99')).toMatchObject({ message: { colorField: 99 }, violations: [] });
});

describe("proto2", () => {
  test.each<[string, JsonStyle, object]>([
    ['{"name":"x","size":"small"}', restJson, { name: "x", size: 1 }],
    ['{"name":"x","detail":{"note":"n"}}', restJson, { name: "x", detail: { note: "n" } }],
    ['{"name":"x","count":0}', restJson, { name: "x", count: 0 }],
    ['{"name":"x","size":"SIZE_LARGE"}', protoJson, { name: "x", size: 2 }],
    ['{"name":"x","size":2}', protoJson, { name: "x", size: 2 }],
  ])("%s", (text, style, expected) => {
    const { message, violations } = readText(LegacySchema, text, jsonOptions(style));
    expect(violations).toEqual([]);
    expect(message).toMatchObject(expected);
  });

  test("a closed enum rejects numbers without a name", () => {
    expect(readText(LegacySchema, '{"size":3}', proto).violations).toEqual([
      "size: must be one of: SIZE_SMALL, SIZE_LARGE",
    ]);
  });

  test("unset fields keep their defaults", () => {
    const { message } = readText(LegacySchema, '{"name":"x","count":null}', restOptions);
    expect(message).toMatchObject({ count: 7, size: 2 });
    expect(Object.hasOwn(message, "count")).toBe(false);
  });
});

test("with ignoresUnknownFields, unknown fields are ignored at every level", () => {
  const text = '{"nope":1,"inner_field":{"nope":2,"text":"x"},"any_field":{"@type":"x/everytype.v1.Inner","nope":1}}';
  const { message, violations } = readText(EveryTypeSchema, text, jsonOptions(restJson, true));
  expect(violations).toEqual([]);
  expect(message).toMatchObject({ innerField: { text: "x" } });
});

test("the map key __proto__ is an ordinary key", () => {
  const { message, violations } = readText(EveryTypeSchema, '{"string_map":{"__proto__":"x"}}', restOptions);
  expect(violations).toEqual([]);
  expect(Object.entries(message.stringMap)).toEqual([["__proto__", "x"]]);
  expect(Object.getPrototypeOf(message.stringMap)).toBe(Object.prototype);
});
