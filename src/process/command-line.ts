import { parseArgs } from "node:util";
import { CommandError, type CommandOption, type OperatorCommand } from "../capability.ts";
import { fileVariable } from "../config/setting-files.ts";
import type { SettingGroup } from "../config/setting-group.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command: string | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "command"; readonly command: string; readonly options: Readonly<Record<string, string>> };

type CommandUsage = Pick<OperatorCommand, "summary" | "options">;

/** Commands by name, as `--help` lists them. */
export type CommandTable = ReadonlyMap<string, CommandUsage>;

/** Runs when no command is named. */
export const defaultCommand = "start";

/** Adds `start` to the operators' commands. */
export function withStart(commands: CommandTable): CommandTable {
  const start = { summary: "Starts the server. The default command." };
  return new Map<string, CommandUsage>([[defaultCommand, start], ...commands]);
}

/**
 * Parses the program's arguments. Throws `CommandError` for unknown commands and options. The message never repeats an option's
 * value or an unexpected argument: either may be a secret.
 */
export function parseCommandLine(args: readonly string[], commands: CommandTable): Invocation {
  const [first = defaultCommand, ...rest] = args;
  if (first === "--help" || first === "--version") {
    if (rest.length > 0) {
      throw new CommandError(`${first} takes no arguments.`);
    }
    return first === "--help" ? { kind: "help", command: undefined } : { kind: "version" };
  }
  const command = commands.get(first);
  if (command === undefined) {
    const what = first.startsWith("-") ? "option" : "command";
    throw new CommandError(`Unknown ${what} "${nameOf(first)}". Run byond --help for a list.`);
  }
  if (rest.length === 1 && rest[0] === "--help") {
    return { kind: "help", command: first };
  }
  return { kind: "command", command: first, options: parseOptions(first, command.options ?? {}, rest) };
}

/** The part before an equals sign. The rest may be a secret. */
function nameOf(argument: string): string {
  return argument.split("=", 1)[0] ?? argument;
}

function parseOptions(
  command: string,
  known: Readonly<Record<string, CommandOption>>,
  args: readonly string[],
): Record<string, string> {
  const refusal = (problem: string) => new CommandError(`${problem}. ${usageOf(command, known)}`);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(
        ([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }] as const,
      ),
    ),
    // The checks below give our own error messages.
    strict: false,
    tokens: true,
  });
  const options = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") {
      throw refusal(`${command} takes options only, no other arguments`);
    }
    const { name, rawName, value } = token;
    if (!Object.hasOwn(known, name) || !rawName.startsWith("--")) {
      throw refusal(`${command} has no option ${rawName}`);
    }
    if (known[name]?.value === undefined) {
      if (value !== undefined) {
        throw refusal(`--${name} takes no value`);
      }
    } else if (value === undefined || value === "" || (!token.inlineValue && /^-\D/.test(value))) {
      // What begins with a minus sign is another option, unless it is a number.
      throw refusal(`--${name} has no value`);
    }
    if (options.has(name)) {
      throw refusal(`--${name} is given twice`);
    }
    options.set(name, value ?? "");
  }
  const missing = Object.entries(known).flatMap(([name, { isRequired }]) =>
    isRequired && !options.has(name) ? [`--${name}`] : [],
  );
  if (missing.length > 0) {
    throw refusal(`${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} required`);
  }
  return Object.fromEntries(options);
}

function usageOf(command: string, options: Readonly<Record<string, CommandOption>> = {}): string {
  const parts = Object.entries(options).map(([name, { value, isRequired }]) => {
    const option = optionText(name, value);
    return isRequired ? option : `[${option}]`;
  });
  return ["Usage: byond", command, ...parts].join(" ");
}

function optionText(name: string, value: string | undefined): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

/** The text of `byond <command> --help`. */
export function commandHelp(name: string, commands: CommandTable): string {
  const command = commands.get(name);
  const options = Object.entries(command?.options ?? {});
  const lines = options.map(([option, { value, meaning }]) => [optionText(option, value), meaning] as const);
  const parts = [
    usageOf(name, command?.options),
    command?.summary ?? "",
    ...(lines.length > 0 ? [columns(lines)] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The text of `byond --help`: the commands and every setting. */
export function help(commands: CommandTable, settings: readonly SettingGroup[]): string {
  const summaries = [...commands].map(([name, { summary }]) => [name, summary] as const);
  const groups = settings.map(({ title, settings }) => {
    const entries = Object.entries(settings).map(([name, setting]) => {
      const { default: fallback, meaning } = { default: plain(setting.default), meaning: plain(setting.meaning) };
      const names = setting.isSecret ? `${name} or ${fileVariable(name)}` : name;
      return `  ${names} (default: ${fallback})\n${wrapped(meaning, 6)}`;
    });
    return `${title}:\n${entries.join("\n")}`;
  });
  const parts = [
    "Usage: byond [command] [options]\n       in this folder: npm start -- [command] [options]",
    `Commands (byond <command> --help shows the options of one):\n${columns(summaries)}`,
    `Options:\n${columns([
      ["--help", "Prints this help."],
      ["--version", "Prints the version."],
    ])}`,
    "Settings are environment variables, or lines of a .env file in the working folder. An empty setting counts as unset.\n…_FILE is the path of a file that holds the setting.",
    ...groups,
  ];
  return `${parts.join("\n\n")}\n`;
}

const lineLength = 100;

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${wrapped(right, width + 4).trimStart()}`).join("\n");
}

function wrapped(text: string, indent: number): string {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && indent + line.length + 1 + word.length > lineLength) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    }
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}

/** Removes the Markdown markup. A link becomes its text and its address. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\(([^)]+)\)/g, "$1: $2").replaceAll("`", "");
}
