/** A variable of the environment that somebody may set, as `--help` and the README tell of it. Both texts are Markdown, of one line. */
export interface Setting {
  /** What holds where it is not set. */
  readonly default: string;
  readonly meaning: string;
  /** Whether nobody sets it on a server whose data may be lost. */
  readonly isSignOfProduction?: true;
}

/** Settings that belong together, declared beside the code that reads them. */
export interface SettingGroup<Name extends string = string> {
  readonly title: string;
  readonly settings: Readonly<Record<Name, Setting>>;
}

/** The names of the settings of groups, for the type of the reader that a function takes: it reads no other ones. */
export type SettingNames<Group extends SettingGroup> = Group extends SettingGroup<infer Name> ? Name : never;

export function settingGroup<Name extends string>(
  title: string,
  settings: Readonly<Record<Name, Setting>>,
): SettingGroup<Name> {
  return { title, settings };
}

/** The settings of all groups, by name. Throws `TypeError` for a name that is declared twice. */
export function settingsByName(groups: readonly SettingGroup[]): ReadonlyMap<string, Setting> {
  const byName = new Map<string, Setting>();
  for (const [name, setting] of groups.flatMap(({ settings }) => Object.entries(settings))) {
    if (byName.has(name)) {
      throw new TypeError(`the setting ${name} is declared twice`);
    }
    byName.set(name, setting);
  }
  return byName;
}
