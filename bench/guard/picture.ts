import type { Day } from "./simulate.ts";

const panel = { width: 340, height: 150 } as const;
const margin = { left: 48, right: 12, top: 34, bottom: 28 } as const;
const columns = 2;
const header = 44;

/** Colours that can be told apart without seeing colours: light and dark, an area and a line. */
const colour = { asked: "#cfd8e3", sent: "#b3261e", text: "#1f2933", faint: "#6b7785", paper: "#ffffff" } as const;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const number = (value: number) => value.toLocaleString("en");

/** The days with pumping, as an SVG with a panel each: codes asked for, and codes sent. */
export function guardPicture(days: readonly Day[]): string {
  const pumped = days.filter(({ shape }) => shape.pumpedFrom !== undefined);
  const rows = Math.ceil(pumped.length / columns);
  const [width, height] = [columns * panel.width, header + rows * panel.height];
  const panels = pumped.map((day, index) => {
    const [x, y] = [(index % columns) * panel.width, header + Math.floor(index / columns) * panel.height];
    return `<g transform="translate(${x} ${y})">${panelOf(day)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11" role="img">
<title>Codes that were asked for by pumping, and codes that were sent, in each day of the simulation</title>
<rect width="${width}" height="${height}" fill="${colour.paper}"/>
<rect x="${margin.left}" y="16" width="14" height="10" fill="${colour.asked}"/>
<text x="${margin.left + 20}" y="25" fill="${colour.text}">asked for</text>
<path d="M${margin.left + 90} 21h14" stroke="${colour.sent}" stroke-width="2"/>
<text x="${margin.left + 110}" y="25" fill="${colour.text}">sent (messages since pumping began, by hours)</text>
${panels.join("\n")}
</svg>
`;
}

function panelOf({ shape, pumped, minutes }: Day): string {
  const asked = runningSums(minutes.map((minute) => minute.asked));
  const sent = runningSums(minutes.map((minute) => minute.sent));
  const most = Math.max(1, pumped.asked);
  const [innerWidth, innerHeight] = [
    panel.width - margin.left - margin.right,
    panel.height - margin.top - margin.bottom,
  ];
  const x = (minute: number) => round(margin.left + (minute / Math.max(1, minutes.length)) * innerWidth);
  const y = (count: number) => round(margin.top + (1 - count / most) * innerHeight);
  const line = (sums: readonly number[]) => sums.map((sum, minute) => `L${x(minute + 1)} ${y(sum)}`).join("");
  const origin = `M${x(0)} ${y(0)}`;
  const hours = Math.round(minutes.length / 60);
  const every = hours > 4 ? 4 : 1;
  const ticks = Array.from({ length: Math.floor(hours / every) + 1 }, (_, index) => index * every);
  return [
    `<text x="${margin.left}" y="14" fill="${colour.text}" font-weight="600">${escaped(shape.name)}</text>`,
    `<text x="${margin.left}" y="27" fill="${colour.faint}">${number(pumped.sent)} of ${number(pumped.asked)} sent</text>`,
    `<path d="${origin}${line(asked)}L${x(minutes.length)} ${y(0)}Z" fill="${colour.asked}"/>`,
    `<path d="${origin}${line(sent)}" fill="none" stroke="${colour.sent}" stroke-width="2"/>`,
    `<path d="M${margin.left} ${y(0)}h${innerWidth}" stroke="${colour.faint}" stroke-width="1"/>`,
    `<text x="${margin.left - 6}" y="${y(most) + 4}" fill="${colour.faint}" text-anchor="end">${number(most)}</text>`,
    `<text x="${margin.left - 6}" y="${y(0) + 4}" fill="${colour.faint}" text-anchor="end">0</text>`,
    ...ticks.map(
      (hour) =>
        `<text x="${x(hour * 60)}" y="${panel.height - 12}" fill="${colour.faint}" text-anchor="middle">${hour} h</text>`,
    ),
  ].join("");
}

function runningSums(counts: readonly number[]): number[] {
  let sum = 0;
  return counts.map((count) => {
    sum += count;
    return sum;
  });
}

const round = (value: number) => Math.round(value * 10) / 10;
