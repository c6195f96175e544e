/** What is wrong with a value, by the rules at the head of `sdk/cases.yaml`; undefined if it matches. */
export function problemOf(actual: unknown, expected: unknown, path: string): string | undefined {
  if (expected === undefined) {
    return undefined;
  }
  const wrong = `${path || "the outcome"} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`;
  if (!isObject(expected)) {
    return matchesPlainly(actual, expected, path, wrong);
  }
  const [operator = "", operand] = Object.entries(expected)[0] ?? [];
  if (operator.startsWith("$")) {
    return matchesOperator(actual, operator, operand) ? undefined : wrong;
  }
  if (!isObject(actual)) {
    return wrong;
  }
  return firstProblem(Object.entries(expected), ([name, value]) => problemOf(actual[name], value, `${path}.${name}`));
}

function matchesPlainly(actual: unknown, expected: unknown, path: string, wrong: string): string | undefined {
  if (!Array.isArray(expected)) {
    return actual === expected ? undefined : wrong;
  }
  if (!Array.isArray(actual) || actual.length !== expected.length) {
    return wrong;
  }
  return firstProblem([...expected.entries()], ([index, value]) => problemOf(actual[index], value, `${path}.${index}`));
}

function matchesOperator(actual: unknown, operator: string, operand: unknown): boolean {
  const isAbsent = actual === null || actual === undefined;
  switch (operator) {
    case "$match":
      return typeof actual === "string" && new RegExp(String(operand)).test(actual);
    case "$present":
      return !isAbsent;
    case "$absent":
      return isAbsent;
    case "$length":
      return Array.isArray(actual) && actual.length === operand;
    case "$at_least":
      return Number(Array.isArray(actual) ? actual.length : actual) >= Number(operand);
    case "$not":
      return problemOf(actual, operand, "") !== undefined;
    default:
      throw new Error(`there is no operator ${operator}`);
  }
}

function firstProblem<T>(all: readonly T[], problem: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const found = problem(one);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
