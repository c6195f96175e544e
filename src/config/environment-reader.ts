import { findNearMisses } from "./near-miss.ts";

/** Whole quotes, and references that a shell, a compose file, Kubernetes or a template leaves as they are: no values. */
const unexpanded = /^(["']).*\1$|\$\{[A-Za-z_]|\$\([A-Za-z_]\w*\)|^\$[A-Za-z_]\w*$|\{\{.*\}\}/s;

/** Reads the variables of an environment, and collects what is wrong with them. */
export class EnvironmentReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  /** Every name that was asked for. */
  readonly #names = new Set<string>();
  readonly problems: string[] = [];

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** The text without white space around it. An empty variable is an unset one: so compose files switch a setting off. */
  text(name: string): string | undefined {
    const text = this.#environment[name]?.trim() || undefined;
    if (!this.#names.has(name)) {
      this.#names.add(name);
      if (text !== undefined && unexpanded.test(text)) {
        this.problems.push(`${name} holds a reference or quotes that were to be replaced before the server started`);
      }
    }
    return text;
  }

  /** The text of a variable that is not one of our settings. */
  foreign(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  /** Whether the variable is there, and says nothing: what happens to a secret that did not arrive. */
  isEmpty(name: string): boolean {
    return this.#environment[name]?.trim() === "";
  }

  /** The settings, of those asked for, that are there and empty. */
  emptyNames(): string[] {
    return [...this.#names].filter((name) => this.isEmpty(name));
  }

  /** The settings, of those asked for, that say something. */
  setNames(): string[] {
    return [...this.#names].filter((name) => this.foreign(name) !== undefined);
  }

  /** To be asked last: names that are misspelt ones of those asked for are problems. */
  checkNames(): void {
    for (const { found, meant, isFile } of findNearMisses(this.#environment, this.#names)) {
      const mend = isFile
        ? `is not read; set ${meant}, as no setting is read from a file`
        : `is no setting, ${meant} is: rename it`;
      this.problems.push(`${found} ${mend}. If it is another program's, set ${meant} too, or to nothing`);
    }
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

  /**
   * A URL of the web. No client sends a user and a password that stand in one. As it may hold a password, a problem names the
   * variable, never its content.
   */
  webUrl(name: string): string | undefined {
    const text = this.text(name);
    if (text !== undefined && !/^https?:\/\//i.test(text)) {
      this.problems.push(`${name} must be a URL that begins with http:// or https://`);
    } else if (text !== undefined && !URL.canParse(text)) {
      this.problems.push(`${name} must be https://host:port/path, with what is special in it percent-encoded`);
    } else if (text !== undefined) {
      const { username, password } = new URL(text);
      if (username + password !== "") {
        this.problems.push(`${name} must hold no user and no password`);
      }
    }
    return text;
  }

  /**
   * Settings that mean something only together: the texts of those that are needed, undefined if none of the group is set.
   * Half a group is a problem.
   */
  group<Needed extends string>(
    needed: readonly Needed[],
    optional: readonly string[] = [],
  ): Readonly<Record<Needed, string>> | undefined {
    const set = [...needed, ...optional].filter((name) => this.text(name) !== undefined);
    if (set.length === 0) {
      return undefined;
    }
    for (const name of needed) {
      this.require(name, set);
    }
    const texts = needed.map((name) => [name, this.text(name) ?? ""]);
    return Object.fromEntries(texts);
  }

  /** A variable that must be set, because of others that are. */
  require(name: string, because: readonly string[]): void {
    if (this.text(name) === undefined && because.length > 0) {
      this.problems.push(`${name} is required with ${because.join(", ")}${this.isEmpty(name) ? ", and is empty" : ""}`);
    }
  }

  /** A comma-separated list; empty where the variable is unset. */
  list(name: string): string[] {
    const text = this.text(name);
    return text === undefined ? [] : text.split(",").map((entry) => entry.trim());
  }
}
