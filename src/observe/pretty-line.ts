type Fields = Readonly<Record<string, unknown>>;

/** Columns of the event's name: most are no longer. */
const eventWidth = 24;

/** C0 and C1: a terminal would obey them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x1f\x7f-\x9f]/g;

const escaped = (text: string) =>
  text.replace(controls, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);

/**
 * A line of the log for people: time of day, level, event, and `name=value` for each field. The stack of an error follows on lines of its own.
 *
 *     12:20:12.123 INFO  request                  route=/healthz status=200 ms=0.4
 */
export function prettyLine(
  time: Date,
  level: string,
  event: string,
  fields: Fields,
  describeError: (error: unknown) => Fields,
): string {
  const { error, ...others } = fields;
  const members = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${prettyValue(value)}`);
  const head = `${time.toISOString().slice(11, -1)} ${level.toUpperCase().padEnd(5)} ${event.padEnd(eventWidth)}`;
  const stack = error === undefined ? "" : prettyError(describeError(error));
  return `${`${head}${members.join("")}`.trimEnd()}${stack}\n`;
}

function prettyValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) {
    return escaped(value);
  }
  return escaped(JSON.stringify(value) ?? String(value));
}

function prettyError({ name, message, stack, cause }: Fields): string {
  const text = typeof stack === "string" ? stack : `${name ?? "Error"}: ${message}`;
  const lines = text.split("\n").map((line) => `\n    ${escaped(line)}`);
  const rest = cause === undefined ? "" : `\n    caused by:${prettyError(Object(cause))}`;
  return lines.join("") + rest;
}
