/** A value at a moment, with the labels that tell it from others of its name. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
}

/** What is measured under one name. */
export interface Metric {
  /** Without the prefix `byond_`; ends with its unit, and `_total` if it only grows. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

/** Writes metrics in the text format of Prometheus (exposition format 0.0.4). */
export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(({ labels = {}, value, suffix = "" }) => {
        const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
        return `byond_${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${formatValue(value)}\n`;
      });
      return `# HELP byond_${name} ${help}\n# TYPE byond_${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function formatValue(value: number): string {
  return value === Number.POSITIVE_INFINITY ? "+Inf" : String(value);
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

/** Counts the requests that were answered, by route and status. Routes are templates: their number is bounded. */
export class RequestCounter {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  #seconds = 0;

  observe(route: string, status: number, ms: number): void {
    const name = `${status} ${route}`;
    const count = this.#counts.get(name) ?? { labels: { route, status: String(status) }, value: 0 };
    count.value += 1;
    this.#counts.set(name, count);
    this.#seconds += ms / 1000;
  }

  metrics(): Metric[] {
    return [
      {
        name: "requests_total",
        help: "Requests answered, by route and HTTP status.",
        type: "counter",
        samples: [...this.#counts.values()],
      },
      {
        name: "request_duration_seconds_total",
        help: "Time spent on all requests together.",
        type: "counter",
        samples: [{ value: this.#seconds }],
      },
    ];
  }
}
