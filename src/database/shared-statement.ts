import type { AppError } from "../errors.ts";
import {
  camelCase,
  type Parameters,
  type Placeholders,
  type Statement,
  statement,
  type ValuesOf,
} from "./statement.ts";

/**
 * One step of a statement that several capabilities share: what it takes of a run, its part of the text, and how it words a
 * refusal. All steps of a run are one statement: one round trip and one commit.
 *
 *     const guard = defineStep<Send, typeof common>()({
 *       name: "guard",
 *       parameters: { country: text },
 *       values: ({ recipient }) => ({ country: countryOf(recipient) }),
 *       sql: (p, { before }) => ({
 *         ctes: `guard_allowed AS (
 *           SELECT FROM allowed_country WHERE workspace_id = ${p.workspaceId} AND country = ${p.country} AND ${before}
 *         )`,
 *         passed: "EXISTS (SELECT FROM guard_allowed)",
 *       }),
 *       refusal: () => new AppError("country_not_allowed", "…"),
 *     });
 */
export interface Step<Run> {
  /** An SQL identifier, unique in the statement. The step's CTEs and columns begin with it. */
  readonly name: string;
  /** What it takes beside the parameters that all steps have. */
  readonly parameters: Parameters;
  /** Whether the run needs the step. One that it does not need is not in the statement. Default: every run does. */
  isNeeded?(run: Run): boolean;
  /** The parts of the step that the run needs, by name. Default: the step is always the same. */
  parts?(run: Run): readonly string[];
  values(run: Run): Readonly<Record<string, unknown>>;
  sql(p: Readonly<Record<string, string>>, place: StepPlace): StepSql;
  /**
   * The error of a run that passed the steps before, and not this one. Undefined: there was nothing to do, which is no error.
   * A step without it lets every run pass.
   */
  refusal?(row: Columns, run: Run): AppError | undefined;
}

/** The columns of a row, in camelCase. */
type Columns = Readonly<Record<string, unknown>>;

/** Where a step stands. */
export interface StepPlace {
  /** See `Step.parts`. */
  readonly parts: readonly string[];
  /** SQL that is true if the steps before were passed. A step that locks or changes something does so only then. */
  readonly before: string;
  /** The `changes` of the steps before. */
  readonly changes: readonly string[];
}

/** What a step adds to the text. */
export interface StepSql {
  /** As they stand in WITH, with commas between them. */
  readonly ctes?: string;
  /** SQL that is true if the step lets the run pass. Default: if the steps before were passed. */
  readonly passed?: string;
  /** Those of its CTEs that lock rows or change them. */
  readonly changes?: readonly string[];
  /** Columns of the answer: SQL by name, in snake_case. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** A step as it is written: with the types of its parameters, and of the columns that its refusal reads. */
interface TypedStep<Run, Common extends Parameters, Own extends Parameters, Row extends Columns> extends Step<Run> {
  readonly parameters: Own;
  values(run: Run): ValuesOf<Own>;
  sql(p: Placeholders<Common & Own>, place: StepPlace): StepSql;
  refusal?(row: Row, run: Run): AppError | undefined;
}

/** Types a step for the runs of a statement and the parameters that all of its steps have. */
export function defineStep<Run, Common extends Parameters>() {
  return <Own extends Parameters, Row extends Columns = Columns>(step: TypedStep<Run, Common, Own, Row>): Step<Run> =>
    step;
}

/** A run of a shared statement. */
export interface SharedRun<Row> {
  readonly statement: Statement<Readonly<Record<string, unknown>>, Row>;
  readonly values: Readonly<Record<string, unknown>>;
  /** What the first step that did not let it pass says, given the row of a run without an effect. */
  refusal(row: Row): AppError | undefined;
}

/** A shared statement: a run of it, given the values of the parameters that all steps have. */
export type SharedStatement<Run, Row> = (run: Run, values: Readonly<Record<string, unknown>>) => SharedRun<Row>;

/** One of the prepared statements that the steps make, and the steps that are in it. */
interface Variant<Run, Row> {
  readonly statement: Statement<Readonly<Record<string, unknown>>, Row>;
  readonly steps: readonly Step<Run>[];
}

/**
 * Puts a statement together of steps, in their order. Its answer is one row with the columns of them all.
 *
 * Every part of a plan costs some 10 µs, whether it does anything or not. So each set of needed steps and parts is a prepared
 * statement of its own, made when a run first needs it and named after them. Throws `TypeError` if two steps have one name or
 * column, and where `statement` does.
 */
export function sharedStatement<Run, Row extends object>(
  name: string,
  common: Parameters,
  steps: readonly Step<Run>[],
): SharedStatement<Run, Row> {
  requireDistinct(
    name,
    "step",
    steps.map((step) => step.name),
  );
  const variants = new Map<string, Variant<Run, Row>>();
  const variantFor = (run: Run) => {
    const needed = steps
      .filter((step) => step.isNeeded?.(run) !== false)
      .map((step) => ({ step, parts: step.parts?.(run) ?? [] }));
    const names = needed.flatMap(({ step, parts }) => (step.isNeeded === undefined ? parts : [step.name, ...parts]));
    const fullName = [name, ...names].join("_");
    const known = variants.get(fullName);
    const variant = known ?? {
      statement: compose<Run, Row>(fullName, common, needed),
      steps: needed.map(({ step }) => step),
    };
    variants.set(fullName, variant);
    return variant;
  };
  return (run, commonValues) => {
    const { statement, steps } = variantFor(run);
    const values: Record<string, unknown> = { ...commonValues };
    for (const step of steps) {
      const own = step.values(run);
      for (const parameter of Object.keys(step.parameters)) {
        values[ownName(step, parameter)] = own[parameter];
      }
    }
    return { statement, values, refusal: (row) => refusalOf(steps, row, run) };
  };
}

/** The name in the statement of a step's own parameter: two steps may give a parameter the same name. */
const ownName = (step: Step<never>, parameter: string) => `${step.name}.${parameter}`;

interface NeededStep<Run> {
  readonly step: Step<Run>;
  readonly parts: readonly string[];
}

function compose<Run, Row>(
  name: string,
  common: Parameters,
  needed: readonly NeededStep<Run>[],
): Statement<Readonly<Record<string, unknown>>, Row> {
  const own = needed.flatMap(({ step }) =>
    Object.entries(step.parameters).map(([parameter, type]) => [ownName(step, parameter), type] as const),
  );
  const parameters: Parameters = { ...common, ...Object.fromEntries(own) };
  return statement<Row>(name)(parameters, (p) => textOf(name, p, common, needed));
}

function textOf<Run>(
  name: string,
  p: Readonly<Record<string, string>>,
  common: Parameters,
  needed: readonly NeededStep<Run>[],
): string {
  const ctes: string[] = [];
  const columns: [name: string, sql: string][] = [];
  const changes: string[] = [];
  let before = "true";
  const lastRefusing = needed.findLast(({ step }) => step.refusal !== undefined)?.step;
  for (const { step, parts } of needed) {
    const sql = step.sql(placeholdersOf(step, p, common), { parts, before, changes: [...changes] });
    ctes.push(...(sql.ctes === undefined ? [] : [sql.ctes]));
    columns.push(...Object.entries(sql.columns ?? {}));
    changes.push(...(sql.changes ?? []));
    before = sql.passed ?? before;
    if (step.refusal !== undefined && step !== lastRefusing) {
      columns.push([passedColumn(step), before]);
    }
  }
  requireDistinct(
    name,
    "column",
    columns.map(([column]) => column),
  );
  return `WITH ${ctes.join(", ")} SELECT ${columns.map(([column, sql]) => `${sql} AS ${column}`).join(", ")}`;
}

/** A step's own placeholders by the names that it gave them, and those that all steps have. */
function placeholdersOf<Run>(
  step: Step<Run>,
  p: Readonly<Record<string, string>>,
  common: Parameters,
): Readonly<Record<string, string>> {
  return new Proxy(p, {
    get(_, asked) {
      const parameter = String(asked);
      return p[Object.hasOwn(common, parameter) ? parameter : ownName(step, parameter)];
    },
  });
}

const passedColumn = (step: Step<never>) => `${step.name}_passed`;

/** A step that stands before the last one that can refuse tells by a column whether the run passed it. */
function refusalOf<Run>(steps: readonly Step<Run>[], row: object, run: Run): AppError | undefined {
  const refusing = steps.filter((step) => step.refusal !== undefined);
  const columns: Columns = { ...row };
  const refused = refusing.find((step) => columns[camelCase(passedColumn(step))] === false) ?? refusing.at(-1);
  if (refused?.refusal === undefined) {
    throw new TypeError("a run had no effect, and none of its steps can refuse it");
  }
  return refused.refusal(columns, run);
}

function requireDistinct(statement: string, what: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TypeError(`the statement ${statement} has two ${what}s named ${repeated}`);
  }
}
