/** The traffic of the simulation: who asks for codes on a day of a workspace, and who enters them. */
import { abroad, home, manyCountries, manyRangesOfOneCountry, newCountry, numberOf, oneRange } from "./numbers.ts";
import { logNormalSeconds, oneOf, randomOf } from "./random.ts";

/** A code that somebody asks for. */
export interface Ask {
  /** After the beginning of the day. */
  readonly atSeconds: number;
  readonly recipient: string;
  readonly isPumped: boolean;
  /** How long after the message was sent the right code is entered. Undefined: it never is. */
  readonly answersAfterSeconds: number | undefined;
}

/** What happens to the messages of some numbers for some time. */
export interface Disturbance {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  /** `refused`: the provider answers with an error. `lost`: it accepts the message, which nobody gets. */
  readonly kind: "refused" | "lost";
  readonly concerns: (recipient: string) => boolean;
}

/** A day of a workspace. */
export interface Shape {
  readonly name: string;
  /** When pumping begins, in seconds. Undefined: nobody pumps. */
  readonly pumpedFrom?: number;
  readonly asks: readonly Ask[];
  readonly disturbances?: readonly Disturbance[];
}

const hour = 3_600;
const noon = 12 * hour;
export const daySeconds = 24 * hour;

interface People {
  /** Asks on the day. */
  readonly count: number;
  /** The part of them who enter the code. */
  readonly conversion?: number;
  /** Half of those have entered it by then. */
  readonly medianSeconds?: number;
  /** Default: all day, most in the evening, few at night. */
  readonly between?: readonly [fromSeconds: number, untilSeconds: number];
  readonly numbers?: readonly string[];
}

/** People who want to sign in: five of six in the country where most users are. */
function people(seed: number, { count, conversion = 0.75, medianSeconds = 22, between, numbers }: People): Ask[] {
  const random = randomOf(seed);
  const timeOfDay = (): number => {
    const at = random() * daySeconds;
    return random() < 0.55 - 0.45 * Math.cos((2 * Math.PI * (at - 4 * hour)) / daySeconds) ? at : timeOfDay();
  };
  const [from, until] = between ?? [0, daySeconds];
  return Array.from({ length: count }, () => ({
    atSeconds: between === undefined ? timeOfDay() : from + random() * (until - from),
    recipient: numberOf(oneOf(random, numbers ?? (random() < 5 / 6 ? home : abroad))),
    isPumped: false,
    answersAfterSeconds: random() < conversion ? logNormalSeconds(random, medianSeconds, 0.7) : undefined,
  }));
}

interface Pump {
  readonly perMinute: number;
  readonly from?: number;
  readonly hours?: number;
  /** The part whose code is entered, to look like people. */
  readonly conversion?: number;
  readonly numbers: readonly string[];
}

/** A workspace with 600 codes a day, and pumping beside them. */
function pumping(
  name: string,
  seed: number,
  { perMinute, from = noon, hours = 2, conversion = 0, numbers }: Pump,
): Shape {
  const random = randomOf(seed + 1);
  const pumped = Array.from({ length: Math.round(perMinute * 60 * hours) }, () => ({
    atSeconds: from + random() * hours * hour,
    recipient: numberOf(numbers[Math.floor(random() * numbers.length)] ?? ""),
    isPumped: true,
    answersAfterSeconds: random() < conversion ? logNormalSeconds(random, 15, 0.3) : undefined,
  }));
  return { name, pumpedFrom: from, asks: [...people(seed, { count: 600 }), ...pumped] };
}

/** Days with pumping. */
export const pumpingDays = (): readonly Shape[] => [
  pumping("60 a minute, in one range", 10, { perMinute: 60, hours: 1, numbers: oneRange }),
  pumping("the same at night", 20, { perMinute: 60, from: 3 * hour, hours: 1, numbers: oneRange }),
  pumping("12 an hour, in one range", 30, { perMinute: 0.2, hours: 11, numbers: oneRange }),
  pumping("20 a minute, in 80 ranges of a country", 40, { perMinute: 20, numbers: manyRangesOfOneCountry }),
  pumping("20 a minute, in 40 countries", 50, { perMinute: 20, numbers: manyCountries }),
  pumping("20 a minute, one code in ten is entered", 60, { perMinute: 20, conversion: 0.1, numbers: oneRange }),
  pumping("20 a minute, to the same 40 numbers", 70, {
    perMinute: 20,
    numbers: Array.from({ length: 40 }, () => numberOf("+9929371xxxxx")),
  }),
  pumping("20 a minute, in the range of most users", 80, { perMinute: 20, numbers: home.slice(0, 1) }),
];

/** Messages that get lost from noon on, for two hours. */
const lost = (concerns: Disturbance["concerns"]): readonly Disturbance[] => [
  { kind: "lost", fromSeconds: noon, untilSeconds: noon + 2 * hour, concerns },
];

/** Days without. */
export const ordinaryDays = (): readonly Shape[] => [
  { name: "a usual day", asks: people(100, { count: 1_000 }) },
  {
    name: "a campaign: 20 a minute for an hour",
    asks: [
      ...people(110, { count: 600 }),
      ...people(111, { count: 1_200, conversion: 0.6, between: [noon, noon + hour] }),
    ],
  },
  {
    name: "the same in a new country, whose messages take a minute and a half",
    asks: [
      ...people(120, { count: 600 }),
      ...people(121, {
        count: 1_200,
        conversion: 0.55,
        medianSeconds: 110,
        between: [noon, noon + hour],
        numbers: newCountry,
      }),
    ],
  },
  { name: "a quarter of the codes is entered", asks: people(130, { count: 1_000, conversion: 0.25 }) },
  { name: "codes are never checked", asks: people(140, { count: 1_000, conversion: 0 }) },
  {
    name: "messages to a third of the users get lost for two hours",
    asks: people(150, { count: 1_000 }),
    disturbances: lost((recipient) => /^\+491(512|605)/.test(recipient)),
  },
  {
    name: "all messages get lost for two hours",
    asks: people(160, { count: 1_000 }),
    disturbances: lost(() => true),
  },
];

/** A provider that fails is paused for all workspaces of a server: a simulation of its own. */
export const outageDays = (): readonly Shape[] => [
  {
    name: "the provider answers with errors for two hours",
    asks: people(170, { count: 1_000 }),
    disturbances: [{ kind: "refused", fromSeconds: noon, untilSeconds: noon + 2 * hour, concerns: () => true }],
  },
];
