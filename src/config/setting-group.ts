/** An environment variable, as `--help` and the README describe it. Both texts are one line of Markdown. */
export interface Setting {
  /** What applies if it is not set. */
  readonly default: string;
  readonly meaning: string;
  /** Whether only a production server sets it. Such a server must say where its data is. */
  readonly isSignOfProduction?: true;
  /** Whether `byond servers` leaves it out: servers of one database rightly differ in it, or their difference shows otherwise. */
  readonly isOfOneServer?: true;
  /** Whether it holds a secret, so that it can be in a file of its own. See `readSettingFiles`. */
  readonly isSecret?: true;
}

/** Settings that belong together, declared beside the code that reads them. */
export interface SettingGroup<Name extends string = string> {
  readonly title: string;
  readonly settings: Readonly<Record<Name, Setting>>;
}

/** The names of the settings of groups. An `EnvironmentReader` of this type can read no others. */
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
