import type { AppError } from "../errors.ts";
import {
  camelCase,
  camelCaseRows,
  maxNameBytes,
  type Parameters,
  type Placeholders,
  requireValue,
  type Statement,
  statement,
  type ValuesOf,
} from "./statement.ts";

/**
 * One step of a statement that several capabilities share: its parameters, its part of the text and its refusal. All steps of a
 * run are one statement: one round trip and one commit.
 *
 *     const guard = defineStep<Send, typeof common>()({
 *       name: "guard",
 *       parameters: { country: text },
 *       values: ({ recipient }) => ({ country: countryOf(recipient) }),
 *       sql: (p, { reached }) => ({
 *         ctes: `guard_allowed AS (
 *           SELECT FROM allowed_country WHERE workspace_id = ${p.workspaceId} AND country = ${p.country} AND ${reached}
 *         )`,
 *         passed: "EXISTS (SELECT FROM guard_allowed)",
 *       }),
 *       refusal: () => new AppError("country_not_allowed", "…"),
 *     });
 */
export interface Step<Run> {
  /** An SQL identifier, unique in the statement. By convention the names of the step's CTEs and columns begin with it. */
  readonly name: string;
  /** Its own parameters, beside those that all steps have. */
  readonly parameters: Parameters;
  /** Whether the run needs the step. Otherwise the text does not contain it. Default: every run needs it. */
  isNeeded?(run: Run): boolean;
  /** The names of the optional parts of the step that the run needs. Default: none. */
  parts?(run: Run): readonly string[];
  /** The values of its own parameters. */
  values(run: Run): Values;
  sql(p: Readonly<Record<string, string>>, context: StepContext): StepSql;
  /**
   * The error of a run that reached the step and did not pass it. Undefined: there was nothing to do, which is no error. Every
   * run passes a step without a refusal.
   */
  refusal?(row: Columns, run: Run): AppError | undefined;
}

/** The values of parameters, by name. */
type Values = Readonly<Record<string, unknown>>;

/** The values that all steps have, and then those of each step of a variant, in its order. */
type ValuesOfSteps = readonly Values[];

/** The columns of a row, in camelCase. */
type Columns = Readonly<Record<string, unknown>>;

/** What a step knows of the steps before it. */
export interface StepContext {
  /** The parts that the run needs: see `Step.parts`. */
  readonly parts: readonly string[];
  /** SQL: true if the run passed the steps before. Only then may the step lock or change rows. */
  readonly reached: string;
  /** The `changes` of the steps before. */
  readonly changes: readonly string[];
}

/** The part of the text that a step adds. */
export interface StepSql {
  /** Common table expressions, as they stand in `WITH`, separated by commas. */
  readonly ctes?: string;
  /** SQL: true if the run passes the step. Default: `StepContext.reached`. */
  readonly passed?: string;
  /** The names of those of its CTEs that lock or change rows. */
  readonly changes?: readonly string[];
  /** Columns of the row that the statement returns: SQL by name, in snake_case. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** A step with the types of its parameters and of the columns that its refusal reads. */
interface TypedStep<Run, Common extends Parameters, Own extends Parameters, Row extends Columns> extends Step<Run> {
  readonly parameters: Own;
  values(run: Run): ValuesOf<Own>;
  sql(p: Placeholders<Common & Own>, context: StepContext): StepSql;
  refusal?(row: Row, run: Run): AppError | undefined;
}

/** Defines a step, for the runs of a statement and the parameters that all of its steps have. */
export function defineStep<Run, Common extends Parameters>() {
  return <Own extends Parameters, Row extends Columns = Columns>(step: TypedStep<Run, Common, Own, Row>): Step<Run> =>
    step;
}

/** A run of a shared statement. */
export interface SharedRun<Row> {
  readonly statement: Statement<ValuesOfSteps, Row>;
  readonly values: ValuesOfSteps;
  /** The refusal of the first step that the run did not pass, given the row of a run without an effect. */
  refusal(row: Row): AppError | undefined;
}

/** Chooses the prepared statement that a run needs, and binds its values. */
export type SharedStatement<Run, Row> = (run: Run) => SharedRun<Row>;

/** The parameters that all steps have, and their values for a run. */
export type Common<Run> = Pick<Step<Run>, "parameters" | "values">;

/** One of the prepared statements, with the steps that it contains. */
interface Variant<Run, Row> {
  readonly statement: Statement<ValuesOfSteps, Row>;
  readonly steps: readonly Step<Run>[];
}

/**
 * Joins steps, in their order, to one statement. It returns one row with the columns of all steps.
 *
 * Every part of a plan costs some 10 µs, even if it does nothing. So each set of needed steps and parts is a prepared statement
 * of its own, named after them and made when a run first needs it. Throws `TypeError` for steps of one name, of a name that is
 * not in snake_case, with a parameter that all steps have or a column of another step, for CTEs that lock or change rows and are not
 * named in `changes`, for a condition without a refusal (but the first one, which is for what always holds), and where `statement`
 * throws.
 */
export function sharedStatement<Run, Row extends object>(
  name: string,
  common: Common<Run>,
  steps: readonly Step<Run>[],
): SharedStatement<Run, Row> {
  requireUsable(name, common.parameters, steps);
  // What is wrong with a step shows now, and not at the first run that needs it.
  compose(
    name,
    common.parameters,
    steps.map((step) => ({ step, parts: [] })),
  );
  const variants = new Map<string, Variant<Run, Row>>();
  const statementNames = new Set<string>();
  const variantFor = (run: Run) => {
    const needed = steps
      .filter((step) => step.isNeeded?.(run) !== false)
      .map((step) => ({ step, parts: step.parts?.(run) ?? [] }));
    const key = needed.map(({ step, parts }) => `${step.name}(${parts.join()})`).join();
    const known = variants.get(key);
    if (known !== undefined) {
      return known;
    }
    const statementName = nameOf(name, needed, statementNames);
    const variant = {
      statement: compose<Run, Row>(statementName, common.parameters, needed),
      steps: needed.map(({ step }) => step),
    };
    statementNames.add(statementName);
    variants.set(key, variant);
    return variant;
  };
  return (run) => {
    const { statement, steps } = variantFor(run);
    const values = [common.values(run), ...steps.map((step) => step.values(run))];
    return { statement, values, refusal: (row) => refusalOf(steps, row, run) };
  };
}

/** The statement's name for a step's own parameter. Two steps may have parameters of the same name. */
const ownName = (step: Step<never>, parameter: string) => `${step.name}.${parameter}`;

interface NeededStep<Run> {
  readonly step: Step<Run>;
  readonly parts: readonly string[];
}

/** Names a variant after what not every run has. If that is too long or taken, a number takes its place. */
function nameOf<Run>(name: string, needed: readonly NeededStep<Run>[], taken: ReadonlySet<string>): string {
  const parts = needed.flatMap(({ step, parts }) => (step.isNeeded === undefined ? parts : [step.name, ...parts]));
  const fullName = [name, ...parts].join("_");
  return fullName.length <= maxNameBytes && !taken.has(fullName) ? fullName : `${name}_${taken.size + 1}`;
}

function compose<Run, Row>(
  name: string,
  common: Parameters,
  needed: readonly NeededStep<Run>[],
): Statement<ValuesOfSteps, Row> {
  const own = needed.flatMap(({ step }) =>
    Object.entries(step.parameters).map(([parameter, type]) => [ownName(step, parameter), type] as const),
  );
  const parameters: Parameters = { ...common, ...Object.fromEntries(own) };
  const { text, parameters: order } = statement<Row>(name)(parameters, (p) => textOf(name, p, common, needed));
  const placeOf = new Map<string, Place>([
    ...Object.keys(common).map((parameter): [string, Place] => [parameter, { list: 0, parameter }]),
    ...needed.flatMap(({ step }, index) =>
      Object.keys(step.parameters).map((parameter): [string, Place] => [
        ownName(step, parameter),
        { list: index + 1, parameter },
      ]),
    ),
  ]);
  // Values are taken from where they are: one object with all of them, by name, took 6 % of the server's time for a start.
  const places = order.flatMap((parameter) => placeOf.get(parameter) ?? []);
  const bind = (lists: ValuesOfSteps) =>
    places.map(({ list, parameter }) => requireValue(name, parameter, lists[list]?.[parameter]));
  return {
    name,
    text,
    parameters: order,
    bind: (lists) => ({ name, text, values: bind(lists), rowsOf: camelCaseRows<Row> }),
  };
}

/** Where the value of a parameter is. */
interface Place {
  readonly list: number;
  readonly parameter: string;
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
  const conditions: string[] = [];
  const reachedBy = () => (conditions.length === 0 ? "true" : `((${conditions.join(") AND (")}))`);
  const lastRefusing = needed.findLast(({ step }) => step.refusal !== undefined)?.step;
  for (const { step, parts } of needed) {
    const sql = step.sql(placeholdersOf(step, p, common), {
      parts,
      reached: reachedBy(),
      changes: [...changes],
    });
    if (sql.ctes !== undefined && locksRows.test(sql.ctes) && (sql.changes ?? []).length === 0) {
      throw new TypeError(
        `the step ${step.name} of the statement ${name} must name what it locks or changes in changes`,
      );
    }
    ctes.push(...(sql.ctes === undefined ? [] : [sql.ctes]));
    columns.push(...Object.entries(sql.columns ?? {}));
    changes.push(...(sql.changes ?? []));
    if (sql.passed !== undefined && step.refusal === undefined && conditions.length > 0) {
      throw new TypeError(`the step ${step.name} of the statement ${name} has a condition, and no refusal to say so`);
    }
    conditions.push(...(sql.passed === undefined ? [] : [sql.passed]));
    if (step.refusal !== undefined && step !== lastRefusing) {
      columns.push([passedColumn(step), reachedBy()]);
    }
  }
  requireDistinct(
    name,
    "column",
    columns.map(([column]) => column),
  );
  return `WITH ${ctes.join(", ")} SELECT ${columns.map(([column, sql]) => `${sql} AS ${column}`).join(", ")}`;
}

/** The placeholders of a step: its own, by the names that it gave them, and those that all steps have. */
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

/**
 * Each step that can refuse has a column that tells whether the run passed it, except the last one: a run without an effect that
 * passed the others did not pass that one. NULL is not true.
 */
function refusalOf<Run>(steps: readonly Step<Run>[], row: object, run: Run): AppError | undefined {
  const refusing = steps.filter((step) => step.refusal !== undefined);
  const columns: Columns = { ...row };
  const refused = refusing.find((step) => columns[camelCase(passedColumn(step))] !== true);
  if (refused?.refusal === undefined) {
    throw new TypeError("a run had no effect, and none of its steps can refuse it");
  }
  return refused.refusal(columns, run);
}

/** What the last step has to wait for: see `StepSql.changes`. */
const locksRows = /\b(?:INSERT INTO|UPDATE|DELETE FROM|FOR (?:NO KEY )?UPDATE|FOR (?:KEY )?SHARE)\b/i;

function requireUsable<Run>(name: string, common: Parameters, steps: readonly Step<Run>[]): void {
  requireDistinct(
    name,
    "step",
    steps.map((step) => step.name),
  );
  for (const step of steps) {
    if (!/^[a-z][a-z0-9_]*$/.test(step.name)) {
      throw new TypeError(`the step ${step.name} of the statement ${name} must have a name in snake_case`);
    }
    const shadowed = Object.keys(step.parameters).find((parameter) => Object.hasOwn(common, parameter));
    if (shadowed !== undefined) {
      throw new TypeError(`the step ${step.name} of the statement ${name} must not redefine the parameter ${shadowed}`);
    }
  }
}

function requireDistinct(statement: string, what: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TypeError(`the statement ${statement} has two ${what}s named ${repeated}`);
  }
}
