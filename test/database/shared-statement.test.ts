/** Statements of steps: which steps are in the text, in which order, and whose refusal a run gets. */
import { describe, expect, test } from "vitest";
import { defineStep, type Step, type StepSql, sharedStatement } from "../../src/database/shared-statement.ts";
import { integer, text } from "../../src/database/statement.ts";
import { AppError } from "../../src/errors.ts";

interface Run {
  readonly isFree?: boolean;
  readonly parts?: readonly string[];
}

const parameters = { workspaceId: text };
const common = { parameters, values: () => ({ workspaceId: "ws_1" }) };
const step = defineStep<Run, typeof parameters>();

/** A step that passes if its column does. */
const passing = (name: string, changes: Partial<Step<Run>> = {}) => ({
  ...step({
    name,
    parameters: {},
    values: () => ({}),
    sql: (p, { reached }) => ({
      ctes: `${name} AS (SELECT ${p.workspaceId} WHERE ${reached})`,
      passed: `EXISTS (SELECT FROM ${name})`,
    }),
    refusal: () => new AppError("rate_limited", name),
  }),
  ...changes,
});

const run = (steps: readonly Step<Run>[], of: Run = {}) => sharedStatement<Run, object>("shared", common, steps)(of);

describe("the text", () => {
  test("has the steps in order, each with the condition of those before, and a column for each but the last that says if it was passed", () => {
    const { statement } = run([passing("first"), passing("second")]);
    expect(statement.text).toBe(
      "WITH first AS (SELECT $1::text WHERE true), second AS (SELECT $1::text WHERE ((EXISTS (SELECT FROM first)))) " +
        "SELECT ((EXISTS (SELECT FROM first))) AS first_passed",
    );
  });

  test("passes the condition on through a step that has no condition of its own", () => {
    const silent = passing("silent", { sql: () => ({}) });
    const { statement } = run([passing("first"), silent, passing("last")]);
    expect(statement.text).toContain("last AS (SELECT $1::text WHERE ((EXISTS (SELECT FROM first))))");
  });

  test("gives a step its own parameters and the common ones, even if another step's have the same names", () => {
    const own = (name: string, value: number) =>
      step({
        name,
        parameters: { amount: integer },
        values: () => ({ amount: value }),
        sql: (p): StepSql => ({ columns: { [name]: `${p.workspaceId} || ${p.amount}` } }),
      });
    const { statement, values } = run([own("one", 1), own("two", 2)]);
    expect(statement.text).toContain("SELECT $1::text || $2::integer AS one, $1::text || $3::integer AS two");
    expect(statement.bind(values).values).toEqual(["ws_1", 1, 2]);
  });

  test("tells a step the changes of the steps before it", () => {
    const seen: (readonly string[])[] = [];
    const changing = (name: string) =>
      step({
        name,
        parameters: {},
        values: () => ({}),
        sql(p, { changes }) {
          seen.push(changes);
          return { ctes: `${name} AS (SELECT ${p.workspaceId})`, changes: [name] };
        },
      });
    run([changing("a"), changing("b"), changing("c")]);
    expect(seen.slice(-3)).toEqual([[], ["a"], ["a", "b"]]);
  });
});

test("a step whose condition forgets those before it does not let a run pass that they refused", () => {
  const forgetful = passing("forgetful", { sql: () => ({ passed: "a OR b" }) });
  const { statement } = run([passing("first"), forgetful, passing("last")]);
  expect(statement.text).toContain("last AS (SELECT $1::text WHERE ((EXISTS (SELECT FROM first)) AND (a OR b)))");
});

describe("variants", () => {
  const optional = passing("charge", { isNeeded: ({ isFree }) => isFree !== true });
  const parted = passing("limits", { parts: ({ parts = [] }) => parts });

  test("omit the steps that a run does not need, and are named after the steps and parts they have", () => {
    const all = sharedStatement<Run, object>("shared", common, [optional, parted]);
    const nameOf = (of: Run) => all(of).statement.name;
    expect(nameOf({})).toBe("shared_charge");
    expect(nameOf({ isFree: true })).toBe("shared");
    expect(nameOf({ isFree: true, parts: ["source", "end_user"] })).toBe("shared_source_end_user");
    expect(all({ isFree: true }).statement.text).not.toContain("charge");
  });

  test("are told apart whatever their steps and parts are called", () => {
    const other = passing("source", { isNeeded: ({ isFree }) => isFree !== true });
    const all = sharedStatement<Run, object>("shared", common, [other, parted]);
    const byStep = all({ parts: [] }).statement;
    const byPart = all({ isFree: true, parts: ["source"] }).statement;
    expect(byStep.name).not.toBe(byPart.name);
    expect(byStep.text).not.toBe(byPart.text);
  });

  test("whose names would be too long for PostgreSQL have a number", () => {
    const all = sharedStatement<Run, object>("shared", common, [parted]);
    expect(all({ parts: ["a".repeat(60)] }).statement.name).toBe("shared_1");
  });

  test("are made once", () => {
    const all = sharedStatement<Run, object>("shared", common, [parted]);
    expect(all({ parts: ["a"] }).statement).toBe(all({ parts: ["a"] }).statement);
  });
});

describe("a refusal", () => {
  const steps = [passing("guard"), passing("limits"), passing("charge")];

  test.each([
    ["the first step that was not passed", { guardPassed: false, limitsPassed: false }, "guard"],
    [
      "the first step that was not passed, where the condition is NULL",
      { guardPassed: null, limitsPassed: null },
      "guard",
    ],
    ["a later one, if those before were passed", { guardPassed: true, limitsPassed: false }, "limits"],
    ["the last one, if all others were passed", { guardPassed: true, limitsPassed: true }, "charge"],
  ])("is that of %s", (_, row, message) => {
    expect(run(steps).refusal(row)?.message).toBe(message);
  });

  test("is undefined if the step returns none", () => {
    expect(run([passing("target", { refusal: () => undefined })]).refusal({})).toBeUndefined();
  });
});

test("a step that locks or changes rows names the CTEs, so that the last step waits for them", () => {
  const writing = passing("writing", {
    sql: () => ({ ctes: "written AS (INSERT INTO note DEFAULT VALUES RETURNING 1)" }),
  });
  expect(() => run([writing])).toThrow("the step writing of the statement shared must name what it locks or changes");
});

test("a step with a condition has a refusal, but for the first one, which is for what always holds", () => {
  const silent = (name: string) =>
    step({ name, parameters: {}, values: () => ({}), sql: () => ({ ctes: `${name} AS (SELECT 1)`, passed: "true" }) });
  expect(() => run([silent("begin"), passing("last")])).not.toThrow();
  expect(() => run([passing("first"), silent("guard")])).toThrow(
    "the step guard of the statement shared has a condition",
  );
});

test("a step that does not use its parameter is refused before any run needs it", () => {
  const steps = [passing("unneeded", { isNeeded: () => false, parameters: { amount: integer } })];
  expect(() => sharedStatement<Run, object>("shared", common, steps)).toThrow("does not use its parameter");
});

test("two steps or two columns with the same name are refused", () => {
  expect(() => run([passing("same"), passing("same")])).toThrow("two steps named same");
  const column = (name: string) => passing(name, { sql: () => ({ columns: { same: "1" } }) });
  expect(() => run([column("a"), column("b")])).toThrow("two columns named same");
});
