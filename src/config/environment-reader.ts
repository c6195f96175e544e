import { findMisspeltSettings } from "./misspelt-settings.ts";
import { fileVariable } from "./setting-files.ts";
import type { Setting } from "./setting-group.ts";
import { unexpandedProblem } from "./unexpanded.ts";

/**
 * Reads declared settings from an environment and collects all problems. `Name` is the union of the settings that the holder of
 * the reader may read. Reading an undeclared setting throws `TypeError`.
 */
export class EnvironmentReader<Name extends string = string> {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #settings: ReadonlyMap<string, Setting>;
  readonly problems: string[] = [];

  constructor(environment: Readonly<Record<string, string | undefined>>, settings: ReadonlyMap<string, Setting>) {
    this.#environment = environment;
    this.#settings = settings;
    for (const name of this.setNames()) {
      const problem = unexpandedProblem(name, this.foreign(name));
      if (problem !== undefined) {
        this.problems.push(problem);
      }
    }
  }

  /** The trimmed value. An empty variable counts as unset: that is how compose files switch a setting off. */
  text(name: Name): string | undefined {
    if (!this.#settings.has(name)) {
      throw new TypeError(`the setting ${name} is read and not declared: its capability's settings have to list it`);
    }
    return this.foreign(name);
  }

  /** The trimmed value of any variable, also of one that is not a setting of ours. */
  foreign(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  /** Whether the variable exists but is empty, as when a secret was not injected. */
  isEmpty(name: string): boolean {
    return this.#environment[name]?.trim() === "";
  }

  /** The settings that exist but are empty. */
  emptyNames(): string[] {
    return [...this.#settings.keys()].filter((name) => this.isEmpty(name));
  }

  /** The settings that have a value, in the order of their declaration. */
  setNames(): string[] {
    return [...this.#settings.keys()].filter((name) => this.foreign(name) !== undefined);
  }

  /** Those of them that only a production server has (`isSignOfProduction`). */
  signsOfProduction(): string[] {
    return this.setNames().filter((name) => this.#settings.get(name)?.isSignOfProduction === true);
  }

  /** Adds a problem for every variable whose name is a misspelt setting. Call it once. */
  checkNames(): void {
    const isSecret = (name: string) => this.#settings.get(name)?.isSecret === true;
    const names = new Set(this.#settings.keys());
    const secrets = new Set([...names].filter(isSecret));
    for (const { found, meant, isFile } of findMisspeltSettings(this.#environment, names, secrets)) {
      const mend =
        isFile && !isSecret(meant)
          ? `is not supported: only secrets are read from files of their own. Set ${meant}`
          : `is not a setting: rename it to ${isFile ? fileVariable(meant) : meant}`;
      this.problems.push(`${found} ${mend}. If it belongs to another program, set ${meant} as well; it may be empty`);
    }
  }

  integer(name: Name, range: { readonly default: number; readonly min: number; readonly max: number }): number;
  integer(
    name: Name,
    range: { readonly default?: undefined; readonly min: number; readonly max: number },
  ): number | undefined;
  integer(
    name: Name,
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

  choice<const T extends string>(name: Name, choices: readonly T[], fallback: T): T {
    const text = this.text(name) ?? fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) {
      this.problems.push(`${name} must be one of: ${choices.join(", ")}, not "${text}"`);
    }
    return choice ?? fallback;
  }

  /**
   * An http or https URL without user and password, which clients would not send. Problems name the variable and never its
   * value: it may hold a password.
   */
  webUrl(name: Name): string | undefined {
    const text = this.text(name);
    if (text !== undefined && !/^https?:\/\//i.test(text)) {
      this.problems.push(`${name} must be a URL that begins with http:// or https://`);
    } else if (text !== undefined && !URL.canParse(text)) {
      this.problems.push(`${name} must be https://host:port/path, with special characters percent-encoded`);
    } else if (text !== undefined) {
      const { username, password } = new URL(text);
      if (username + password !== "") {
        this.problems.push(`${name} must not contain a user or a password`);
      }
    }
    return text;
  }

  /**
   * Settings that only work together. Returns the values of the needed ones, or undefined if none of the group is set. A group
   * that is set in part is a problem.
   */
  group<Needed extends Name>(
    needed: readonly Needed[],
    optional: readonly Name[] = [],
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

  /** Adds a problem if the setting is unset although others (`because`) need it. */
  require(name: Name, because: readonly string[]): void {
    if (this.text(name) === undefined && because.length > 0) {
      this.problems.push(`${name} is required with ${because.join(", ")}${this.isEmpty(name) ? ", but is empty" : ""}`);
    }
  }

  /** The entries of a comma-separated list. Empty if the variable is unset. */
  list(name: Name): string[] {
    const text = this.text(name);
    return text === undefined ? [] : text.split(",").map((entry) => entry.trim());
  }
}
