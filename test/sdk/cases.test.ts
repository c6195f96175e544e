import { expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { modelOfSchema } from "../../sdk/generator/generate.ts";
import { readCases, type Step } from "../../sdk/test/cases.ts";

async function allSteps(): Promise<Step[]> {
  return (await readCases()).cases.flatMap(({ steps }) => steps);
}

test("sdk/cases.yaml has a call of every operation", async () => {
  const called = new Set((await allSteps()).flatMap(({ call, iterate, stream }) => call ?? iterate ?? stream ?? []));
  const { services } = await modelOfSchema();
  const ids = services.flatMap(({ operations }) => operations.map(({ id }) => id));
  expect(ids.filter((id) => !called.has(id))).toEqual([]);
  expect([...called].filter((id) => !ids.includes(id))).toEqual([]);
});

test("sdk/cases.yaml has every error code of the server", async () => {
  const met = new Set((await allSteps()).map(({ error }) => error?.code));
  const { errors } = await modelOfSchema();
  expect(errors.map(({ code }) => code).filter((code) => !met.has(code))).toEqual([]);
});

test("sdk/cases.yaml expects every field that errors have", async () => {
  const expected = new Set((await allSteps()).flatMap(({ error }) => Object.keys(error ?? {})));
  const fields = ErrorInfoSchema.fields.map(({ name }) => name).filter((name) => name !== "documentation_url");
  expect(fields.filter((name) => !expected.has(name))).toEqual([]);
});

test("sdk/cases.yaml has no two cases of one name, and names only clients that it has", async () => {
  const { cases, clients } = await readCases();
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  const named = cases.flatMap(({ client, steps }) => [client ?? "sandbox", ...steps.map(({ as }) => as ?? "sandbox")]);
  expect(named.filter((name) => typeof name === "string" && !(name in clients))).toEqual([]);
});
