/** Reads the variables of an environment, and collects what is wrong with them. */
export class EnvironmentReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly problems: string[] = [];

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** The text without white space around it. An empty variable is an unset one: so compose files switch a setting off. */
  text(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  integer(name: string, range: { readonly default: number; readonly min: number; readonly max: number }): number;
  integer(
    name: string,
    range: { readonly default?: undefined; readonly min: number; readonly max: number },
  ): number | undefined;
  integer(
    name: string,
    {
      default: fallback,
      min,
      max,
    }: { readonly default?: number | undefined; readonly min: number; readonly max: number },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) {
      return fallback;
    }
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      this.problems.push(`${name} must be a whole number between ${min} and ${max}, not "${text}"`);
    }
    return value;
  }

  choice<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name) ?? fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) {
      this.problems.push(`${name} must be one of: ${choices.join(", ")}, not "${text}"`);
    }
    return choice ?? fallback;
  }

  /** A URL may hold a password: a problem names the variable, never its content. */
  url(name: string, protocols: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text !== undefined && !(URL.canParse(text) && protocols.includes(new URL(text).protocol))) {
      const starts = protocols.map((protocol) => `${protocol}//`).join(" or ");
      this.problems.push(`${name} must be a URL that begins with ${starts}`);
    }
    return text;
  }

  /** A variable that must be set, because of another one that is. */
  needed(name: string, because: string): string {
    const text = this.text(name);
    if (text === undefined) {
      this.problems.push(`${name} is required with ${because}`);
    }
    return text ?? "";
  }

  /** A comma-separated list; empty where the variable is unset. */
  list(name: string): string[] {
    const text = this.text(name);
    return text === undefined ? [] : text.split(",").map((entry) => entry.trim());
  }
}
