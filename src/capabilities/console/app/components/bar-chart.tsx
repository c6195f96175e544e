import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import styles from "./bar-chart.module.css";

export interface BarSeries {
  readonly name: string;
  /** A colour of `tokens.css`: `--good`. */
  readonly color: string;
  readonly values: readonly number[];
}

export interface BarChartProps {
  /** What it shows; the numbers must be on the page as text, too. */
  readonly label: string;
  /** The beginning of each bar, and the end of the last one. */
  readonly starts: readonly Date[];
  readonly end: Date;
  /** Stacked in this order, the first at the bottom. */
  readonly series: readonly BarSeries[];
  readonly formatStart: (start: Date) => string;
  /** Days of UTC begin at midnight of UTC. Default: the viewer's zone. */
  readonly isUtc?: boolean;
}

const height = 240;
const seconds = (date: Date) => date.getTime() / 1_000;
const colorOf = (token: string) => getComputedStyle(document.documentElement).getPropertyValue(token).trim();

/** Stacked bars over time. Load it lazily: it brings the chart library along. */
export default function BarChart({ label, starts, end, series, formatStart, isUtc = false }: BarChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<number>();
  const latestFormat = useRef(formatStart);
  useEffect(() => {
    latestFormat.current = formatStart;
  });
  const shape = JSON.stringify([starts, end, series, isUtc]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when what it shows has changed
  useEffect(() => {
    const element = frame.current;
    if (element === null) {
      return;
    }
    const chart = new uPlot(
      optionsOf({ element, series, end, isUtc, format: (start) => latestFormat.current(start), onHover: setHovered }),
      [starts.map(seconds), ...stackedValues(series)],
      element,
    );
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const recolored = new MutationObserver(() => chart.redraw(false, true));
    recolored.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      recolored.disconnect();
      chart.destroy();
    };
  }, [shape]);
  const start = hovered === undefined ? undefined : starts[hovered];
  return (
    <figure className={styles.chart}>
      <div ref={frame} role="img" aria-label={label} className={styles.frame} />
      <figcaption className={styles.legend}>
        {series.map(({ name, color, values }) => (
          <span key={name} className={styles.entry}>
            <span className={styles.mark} style={{ background: `var(${color})` }} />
            {name}
            {hovered !== undefined && <strong>{values[hovered]}</strong>}
          </span>
        ))}
        {start && <span className={styles.time}>{formatStart(start)}</span>}
      </figcaption>
    </figure>
  );
}

/** The heights of the bars, each on top of those before it; the highest first, so that the others are drawn over it. */
function stackedValues(series: readonly BarSeries[]): number[][] {
  const heights: number[][] = [];
  for (const { values } of series) {
    const below = heights[0];
    heights.unshift(values.map((value, index) => value + (below?.[index] ?? 0)));
  }
  return heights;
}

interface ChartOptions {
  readonly element: HTMLElement;
  readonly series: readonly BarSeries[];
  readonly end: Date;
  readonly isUtc: boolean;
  readonly format: (start: Date) => string;
  readonly onHover: (index: number | undefined) => void;
}

function optionsOf({ element, series, end, isUtc, format, onHover }: ChartOptions): uPlot.Options {
  const bars = uPlot.paths.bars?.({ align: 1, size: [0.72, 48], radius: 0.08 });
  const axis = {
    stroke: () => colorOf("--muted"),
    font: "12px system-ui, sans-serif",
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    ...(isUtc && { tzDate: (at: number) => uPlot.tzDate(new Date(at * 1_000), "Etc/UTC") }),
    scales: {
      x: { range: (_chart, first) => [first, seconds(end)] },
      y: { range: (_chart, _least, most) => [0, Math.max(4, Math.ceil(most * 1.1))] },
    },
    axes: [
      {
        ...axis,
        size: 32,
        grid: { show: false },
        values: (_chart, splits) => splits.map((at) => format(new Date(at * 1_000))),
      },
      {
        ...axis,
        size: 40,
        grid: { stroke: () => colorOf("--line"), width: 1 },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6],
      },
    ],
    series: [
      {},
      ...series.toReversed().map(({ name, color }) => ({
        label: name,
        fill: () => colorOf(color),
        points: { show: false },
        ...(bars && { paths: bars }),
      })),
    ],
    hooks: { setCursor: [(chart) => onHover(chart.cursor.idx ?? undefined)] },
  };
}
