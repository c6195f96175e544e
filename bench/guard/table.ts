import type { Day } from "./simulate.ts";

/** What a pumped message is assumed to cost. */
const messageCost = 0.2;

const number = (value: number) => value.toLocaleString("en");
const money = (messages: number) => `${number(Math.round(messages * messageCost))} $`;
const share = (part: number, whole: number) =>
  whole === 0 ? "0" : `${number(part)} (${((100 * part) / whole).toFixed(1)} %)`;

function duration(seconds: number): string {
  return seconds < 5_400 ? `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

/** The days of a simulation in Markdown: those with pumping, and those without. */
export function guardTable(days: readonly Day[]): string {
  const pumped = days.filter(({ shape }) => shape.pumpedFrom !== undefined);
  const ordinary = days.filter(({ shape }) => shape.pumpedFrom === undefined);
  return [
    `| pumping | codes asked for | first refused | messages until then | sent in all | cost without the guard | with it | people refused |`,
    "|---|---|---|---|---|---|---|---|",
    ...pumped.map(({ shape, pumped: bad, people, caught }) =>
      row([
        shape.name,
        number(bad.asked),
        caught === undefined ? "never" : `after ${duration(caught.afterSeconds)}`,
        caught === undefined ? "" : number(caught.sent),
        share(bad.sent, bad.asked),
        money(bad.asked - bad.limited),
        money(bad.sent),
        share(people.refused, people.asked),
      ]),
    ),
    "",
    "| no pumping | codes asked for | people refused |",
    "|---|---|---|",
    ...ordinary.map(({ shape, people }) =>
      row([shape.name, number(people.asked), share(people.refused, people.asked)]),
    ),
    "",
    `A message is taken to cost ${messageCost.toFixed(2)} $.`,
  ].join("\n");
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
