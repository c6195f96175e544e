import type { Postgres } from "./databases.ts";
import type { LoadResult } from "./load/load.ts";

/** What every row of a run shares. */
export interface Run {
  readonly postgres: Postgres;
  readonly rounds: number;
  /** How long one side is measured in a round. */
  readonly seconds: number;
  /** How many starts a fresh database is measured with. */
  readonly freshStarts: number;
  /** Tells how far the run is. */
  readonly note: (text: string) => void;
}

/** A line of the table: something of Byond, and what it is compared with. */
export interface Row {
  /** Its name on the command line. */
  readonly name: string;
  readonly what: string;
  readonly against: string;
  /** The ratio that is to be reached now, and later, as decided. */
  readonly now: string;
  readonly goal: string;
  measure(run: Run): Promise<Outcome>;
}

/** Something that is tried out, and answers a table of its own in Markdown. */
export interface Simulation {
  /** Its name on the command line. */
  readonly name: string;
  readonly title: string;
  run(postgres: Postgres, note: (text: string) => void): Promise<string>;
}

export type Outcome = Measured | { readonly kind: "left out"; readonly why: string };

export interface Measured {
  readonly kind: "measured";
  /** The median over the rounds. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly ours: string;
  readonly theirs: string;
  /** The part of one core that the load took, at most. Undefined where another program made it. */
  readonly busy?: number;
  /** What a reader of the row should know, a line each. */
  readonly remarks?: readonly string[];
}

export const leftOut = (why: string): Outcome => ({ kind: "left out", why });

/** One side of a comparison. */
export interface Side {
  /** Measures it once. */
  readonly measure: () => Promise<Reading>;
  /** Before the first round: code gets compiled, pools fill. */
  readonly warmUp?: () => Promise<unknown>;
}

export interface Reading {
  readonly value: number;
  readonly busy?: number;
}

export interface Unit {
  /** Of a value, for people. */
  readonly format: (value: number) => string;
}

export const perSecond: Unit = { format: (value) => `${Math.round(value).toLocaleString("en")}/s` };
export const milliseconds: Unit = { format: (value) => `${value.toFixed(1)} ms` };
export const megabytes: Unit = { format: (value) => `${Math.round(value)} MB` };

export const throughput = ({ perSecond: value, busy }: LoadResult): Reading => ({ value, busy });

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((one, other) => one - other),
    0.5,
  );
}

/** Of ascending values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

/**
 * Measures two sides in turns, the other one first every other round, so that whatever else the machine does disturbs both alike. The
 * ratio is the median of the ratios of the rounds.
 */
export async function compare(run: Run, unit: Unit, ours: Side, theirs: Side): Promise<Measured> {
  await ours.warmUp?.();
  await theirs.warmUp?.();
  return compareRounds(run, unit, async (round) => {
    const isOursFirst = round % 2 === 0;
    const first = await (isOursFirst ? ours : theirs).measure();
    const second = await (isOursFirst ? theirs : ours).measure();
    return isOursFirst ? { ours: first, theirs: second } : { ours: second, theirs: first };
  });
}

/** What both sides came to in a round. */
export interface RoundReading {
  readonly ours: Reading;
  readonly theirs: Reading;
}

/** As `compare`, where the sides cannot be measured in any order. */
export async function compareRounds(
  run: Run,
  unit: Unit,
  measure: (round: number) => Promise<RoundReading>,
): Promise<Measured> {
  const readings: RoundReading[] = [];
  for (let round = 0; round < run.rounds; round += 1) {
    const reading = await measure(round);
    readings.push(reading);
    run.note(`round ${round + 1}: ${unit.format(reading.ours.value)} against ${unit.format(reading.theirs.value)}`);
  }
  const ratios = readings.map((reading) => reading.ours.value / reading.theirs.value);
  const busy = readings.flatMap((reading) => [reading.ours.busy ?? 0, reading.theirs.busy ?? 0]);
  return {
    kind: "measured",
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    ours: unit.format(median(readings.map((reading) => reading.ours.value))),
    theirs: unit.format(median(readings.map((reading) => reading.theirs.value))),
    busy: Math.max(...busy),
  };
}
