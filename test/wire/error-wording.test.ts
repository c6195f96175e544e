import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { rulesOf } from "@byond/rest/field-rules";
import { isListWrapper } from "@byond/rest/json/json-style";
import { type Route, routesOf } from "@byond/rest/route";
import { beforeAll, describe, expect, test } from "vitest";
import { pattern_words as patternWords } from "../../gen/byond/v1/access_pb.ts";
import { useTestApp } from "../support/app.ts";
import { allMethods, type Client, jsonOf, jsonProtocols, type Outcome, sendByRest } from "./request-messages.ts";

/**
 * What a refusal says of a field is for who wrote the request: its name is the one that stands there, and nothing in the words
 * is of the implementation. Every field of every request is given what it does not take.
 */

const app = useTestApp();
let client: Client;
beforeAll(async () => {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "data plane" } });
  client = { url: app.url, credentials: { key: body.key, session } };
});

/** Those that stream their requests have no REST route, and are not sent as one message. */
const methods = (await allMethods())
  .filter(({ methodKind }) => methodKind !== "bidi_streaming")
  .map((method) => ({ rpc: method.name, method }));

const long = "x".repeat(5_000);
const wrong: readonly unknown[] = [
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 64,
  0,
  -1,
  1.5,
  true,
  "",
  "%",
  "bogus bogus",
  long,
  "nul\0",
  [],
  [long],
  ["%"],
  ["verify", "verify"],
  [1],
  Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`),
  {},
  { bogus: 1 },
  { "": "a" },
  { [long]: "a" },
  { a: long },
  Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "a"])),
];

/** The request, and each message in it, with this value in every field. */
function requestsWith(desc: DescMessage, value: unknown): Record<string, unknown>[] {
  const inner = desc.fields.filter(isPlainMessage);
  return [
    Object.fromEntries(desc.fields.map(({ name }) => [name, value])),
    ...inner.flatMap(({ name, message }) => requestsWith(message, value).map((held) => ({ [name]: held }))),
  ];
}

function isPlainMessage(field: DescField): field is DescField & { fieldKind: "message" } {
  return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message) && !isListWrapper(field.message);
}

const words = /^(must|is|has|may) /;
const ofTheImplementation =
  /\bmap\b|[Rr]egex|pattern|-?2147483648|2147483647|184467|\bvalue\b|\bfield \d|\bCEL\b|proto|int32|_UNSPECIFIED/;

function expectPlainWords({ fields }: Outcome, about: string): void {
  for (const [name, text] of Object.entries(fields)) {
    expect(text, `${about}: ${name}`).toMatch(words);
    // The names of fields that are known may be any words.
    expect(text.replace(/known are: .*$/, ""), `${about}: ${name}`).not.toMatch(ofTheImplementation);
  }
}

describe("every field of every request", () => {
  test.each(methods)("of $rpc is refused in plain words, by its name, over REST", async ({ method }) => {
    const [route] = routesOf(method, "refuse", []);
    for (const value of wrong) {
      const names = namesOf(method, route, value);
      for (const json of requestsWith(method.input, value)) {
        const about = `${method.name} ${JSON.stringify(json).slice(0, 80)}`;
        const outcome = await sendByRest(client, method, json);
        expectPlainWords(outcome, about);
        for (const path of Object.keys(outcome.fields)) {
          expect(names, about).toContain(path.split(/[.[]/)[0]);
        }
      }
    }
  });

  test.each(methods)("of $rpc is refused in plain words over Connect in JSON", async ({ method }) => {
    const [{ send } = { send: undefined }] = jsonProtocols;
    for (const value of wrong) {
      for (const json of requestsWith(method.input, value)) {
        expectPlainWords(await (send?.(client, method, jsonOf(json)) ?? Promise.reject()), method.name);
      }
    }
  });
});

/** The names that the fields of a request have over REST. Those that a test made up are what it sent. */
function namesOf({ input }: DescMethod, route: Route | undefined, value: unknown): string[] {
  const bodyField = route?.body.kind === "field" ? route.body.field : undefined;
  const fields = [...input.fields.filter((field) => field !== bodyField), ...(bodyField?.message?.fields ?? [])];
  const madeUp = typeof value === "object" && value !== null ? Object.keys(value) : [];
  return [...fields.map(({ name }) => name), ...madeUp.map((name) => (name === long ? `${name.slice(0, 64)}…` : name))];
}

test("every pattern has words", () => {
  const patterns = methods.flatMap(({ method }) => fieldsOf(method.input)).filter(hasPattern);
  expect(patterns.length).toBeGreaterThan(0);
  expect(patterns.filter((field) => getOption(field, patternWords) === "").map(String)).toEqual([]);
});

function fieldsOf(desc: DescMessage): DescField[] {
  return desc.fields.flatMap((field) => [field, ...(field.message === undefined ? [] : fieldsOf(field.message))]);
}

function hasPattern(field: DescField): boolean {
  const { own, items, keys, values } = rulesOf(field);
  return [own, items?.own, keys?.own, values?.own].some((rules) => rules?.has("pattern"));
}
