import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { EveryTypeSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { jsonOptions, readText } from "./json-support.ts";

const restOptions = jsonOptions(restJson);
const proto = jsonOptions(protoJson);

/** Reads one field in restJson, given as `"name":value`; the message's members. */
function readHouse(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, restOptions);
}

function readProto(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, proto);
}

describe("both styles read the well-known types", () => {
  const cases: [string, JsonObject][] = [
    ['"timestamp_field":"2026-06-15T09:42:00Z"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15t09:42:00z"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T11:42:00+02:00"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T00:12:00-09:30"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T09:42:00.5Z"', { timestampField: "2026-06-15T09:42:00.500Z" }],
    ['"timestamp_field":"2026-06-15T09:42:00.123456789Z"', { timestampField: "2026-06-15T09:42:00.123456789Z" }],
    ['"timestamp_field":"1969-12-31T23:59:59.25Z"', { timestampField: "1969-12-31T23:59:59.250Z" }],
    ['"timestamp_field":"0001-01-01T00:00:00Z"', { timestampField: "0001-01-01T00:00:00Z" }],
    ['"timestamp_field":"9999-12-31T23:59:59.999999999Z"', { timestampField: "9999-12-31T23:59:59.999999999Z" }],
    ['"timestamp_field":"2024-02-29T00:00:00Z"', { timestampField: "2024-02-29T00:00:00Z" }],
    ['"timestamp_field":"0050-03-01T00:00:00Z"', { timestampField: "0050-03-01T00:00:00Z" }],
    ['"duration_field":"3s"', { durationField: "3s" }],
    ['"duration_field":"-3.5s"', { durationField: "-3.500s" }],
    ['"duration_field":"-0.5s"', { durationField: "-0.500s" }],
    ['"duration_field":"0s"', { durationField: "0s" }],
    ['"duration_field":"-0s"', { durationField: "0s" }],
    ['"duration_field":"0.000000001s"', { durationField: "0.000000001s" }],
    ['"duration_field":"315576000000s"', { durationField: "315576000000s" }],
    ['"value_field":[1,"a",{"b":null}]', { valueField: [1, "a", { b: null }] }],
    ['"value_field":false', { valueField: false }],
    ['"list_value_field":[1,[2]]', { listValueField: [1, [2]] }],
    ['"list_value_field":[]', { listValueField: [] }],
    ['"empty_field":{}', { emptyField: {} }],
    ['"any_field":{}', { anyField: {} }],
    [
      '"any_field":{"@type":"type.googleapis.com/everytype.v1.Inner","text":"x"}',
      { anyField: { "@type": "type.googleapis.com/everytype.v1.Inner", text: "x" } },
    ],
    [
      '"any_field":{"number":5,"@type":"example.com/deep/everytype.v1.Inner"}',
      { anyField: { "@type": "example.com/deep/everytype.v1.Inner", number: 5 } },
    ],
    [
      '"any_field":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}',
      { anyField: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" } },
    ],
    [
      '"any_field":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.protobuf.Int32Value","value":7}}',
      { anyField: { "@type": "x/google.protobuf.Any", value: { "@type": "x/google.protobuf.Int32Value", value: 7 } } },
    ],
    [
      '"any_field":{"@type":"x/google.protobuf.Value","value":null}',
      { anyField: { "@type": "x/google.protobuf.Value", value: null } },
    ],
    ['"string_wrapper_items":["a",""]', { stringWrapperItems: ["a", ""] }],
    ['"int64_wrapper_map":{"a":"5"}', { int64WrapperMap: { a: "5" } }],
    ['"choice_bool_wrapper":false', { choiceBoolWrapper: false }],
    ['"value_items":[null,1]', { valueItems: [null, 1] }],
    ['"value_map":{"a":null}', { valueMap: { a: null } }],
    ['"null_value_items":[null]', { nullValueItems: [null] }],
    ['"struct_items":[{"a":1}]', { structItems: [{ a: 1 }] }],
    ['"struct_map":{"k":{"a":{}}}', { structMap: { k: { a: {} } } }],
    ['"choice_struct":{"a":"b"}', { choiceStruct: { a: "b" } }],
    [
      '"every_type_field":{"every_type_field":{"int32_field":5}}',
      { everyTypeField: { everyTypeField: { int32Field: 5 } } },
    ],
  ];
  describe.each([
    ["restOptions", restOptions],
    ["proto", proto],
  ])("%s", (_, options) => {
    test.each(cases)("%s", (member, expected) => {
      const { message, violations } = readText(EveryTypeSchema, `{${member}}`, options);
      expect(violations).toEqual([]);
      expect(toJson(EveryTypeSchema, message, options)).toEqual(expected);
    });
  });

  test("field masks name fields as the style writes them", () => {
    expect(readHouse('"field_mask_field":"a_b,c.d_e"').message).toMatchObject({
      fieldMaskField: { paths: ["a_b", "c.d_e"] },
    });
    expect(readProto('"fieldMaskField":"aB,c.dE"').message).toMatchObject({
      fieldMaskField: { paths: ["a_b", "c.d_e"] },
    });
    expect(readHouse('"field_mask_field":""').message).toMatchObject({ fieldMaskField: { paths: [] } });
  });
});
