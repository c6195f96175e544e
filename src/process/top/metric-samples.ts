/** A value of a metric at one moment. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)(?: \d+)?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text format of Prometheus. Lines that are none of a metric are left out. */
export function readSamples(text: string): Sample[] {
  return text.split("\n").flatMap((each) => {
    const match = each.startsWith("#") ? null : line.exec(each);
    if (match === null) {
      return [];
    }
    const [, name = "", labels = "", value = ""] = match;
    const pairs = [...labels.matchAll(label)].map(([, key = "", text = ""]) => [key, unescaped(text)] as const);
    return [{ name, labels: Object.fromEntries(pairs), value: numberOf(value) }];
  });
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign));
}

function numberOf(text: string): number {
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}
