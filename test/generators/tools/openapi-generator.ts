import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { CommandError } from "../run-command.ts";
import type { Tool } from "../tool.ts";
import { openApiGeneratorJar, openApiGeneratorVersion } from "./openapi-generator-jar.ts";

/** A warning that the document cannot help. It must appear: if it does not, the tool fails, so that the list stays true. */
interface KnownWarning {
  readonly text: string | RegExp;
  readonly why: string;
}

/** An option without which the client is not usable, because of a fault of the generator's own. It must be needed: if it is not, the tool fails. */
interface Workaround {
  /** As `--additional-properties` takes it. */
  readonly option: string;
  /** For the table: why. */
  readonly words: string;
  /** The number in the generator's tracker. */
  readonly issue: number;
  /** What a file of the client has if, and only if, the option is left out. */
  readonly symptom: { readonly file: string; readonly text: string };
}

interface Language extends Pick<Tool, "inCi" | "client" | "compile" | "call" | "limitation"> {
  /** As the generator names it: `-g <generator>`. */
  readonly generator: string;
  /** As the table names it. */
  readonly title: string;
  /** Programs beside Java. */
  readonly needs: readonly string[];
  /** Names of packages, as a user would give them. Anything else needs a reason where it is written. */
  readonly options: readonly string[];
  readonly warnings?: readonly KnownWarning[];
  readonly workarounds?: readonly Workaround[];
}

const tracker = "OpenAPITools/openapi-generator";

const everyLanguage: readonly KnownWarning[] = [
  { text: "OpenAPI 3.1 support is still in beta", why: "3.1 is the document's version" },
  {
    text: /ModelUtils - Failed to get the schema name: null$/,
    why: `\`additionalProperties: false\` is a schema in 3.1 (${tracker}#21742)`,
  },
];

/** OpenAPI Generator in one language: generates without a warning, into `client/`. */
export function openApiGenerator(language: Language): Tool {
  const { generator, title, needs, options, warnings = [], workarounds = [], limitation, ...others } = language;
  const added = workarounds.map(({ option }) => `--additional-properties=${option}`);
  const limitations = workarounds.map(({ option, words, issue }) => `\`${option}\`: ${words} (${tracker}#${issue})`);
  if (limitation !== undefined) {
    limitations.push(limitation);
  }
  const generate = (bench: Bench, output: string, more: readonly string[]) =>
    runGenerator(bench, [
      "generate",
      `--generator-name=${generator}`,
      `--input-spec=${bench.document}`,
      `--output=${output}`,
      ...options,
      ...more,
    ]);
  return {
    ...(limitations.length === 0 ? {} : { limitation: limitations.join("; ") }),
    name: `OpenAPI Generator, ${title}`,
    version: openApiGeneratorVersion,
    needs: ["java", ...needs],
    async generate(bench) {
      checkWarnings(await generate(bench, "client", added), [...everyLanguage, ...warnings]);
      if (workarounds.length > 0) {
        await generate(bench, "without-workarounds", ["--global-property=models"]);
        await checkWorkarounds(bench.folder, workarounds);
      }
    },
    ...others,
  };
}

/** What the generator finds in the document before it generates, with its recommendations. */
export const openApiGeneratorValidate: Tool = {
  name: "OpenAPI Generator, validate",
  version: openApiGeneratorVersion,
  needs: ["java"],
  inCi: true,
  async generate(bench) {
    const output = await runGenerator(bench, ["validate", "--recommend", "--input-spec", bench.document]);
    if (!output.includes("No validation issues detected.")) {
      throw new CommandError("validate found something", output);
    }
  },
};

async function runGenerator(bench: Bench, args: readonly string[]): Promise<string> {
  // It runs for seconds: what the second compiler would gain is not worth its time.
  const quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
  return bench.run("java", [...quick, "-jar", await openApiGeneratorJar(), ...args]);
}

/** Warnings, errors, and schemas that the generator had to name itself: all of them are known, and all that are known are there. */
function checkWarnings(output: string, known: readonly KnownWarning[]): void {
  const matches = ({ text }: KnownWarning, line: string) =>
    typeof text === "string" ? line.includes(text) : text.test(line);
  const found = output.split("\n").filter((line) => /\b(WARN|ERROR)\b|Inline schema created/.test(line));
  const unknown = found.filter((line) => !known.some((warning) => matches(warning, line)));
  if (unknown.length > 0) {
    throw new CommandError("generate warned", [...new Set(unknown)].join("\n"));
  }
  const gone = known.filter((warning) => !found.some((line) => matches(warning, line)));
  if (gone.length > 0) {
    throw new CommandError("known warnings are gone; take them off the list", gone.map(({ why }) => why).join("\n"));
  }
}

/** Each option is still needed, and helps. */
async function checkWorkarounds(folder: string, workarounds: readonly Workaround[]): Promise<void> {
  for (const { option, symptom } of workarounds) {
    const hasSymptom = async (client: string) =>
      (await readFile(join(folder, client, symptom.file), "utf8")).includes(symptom.text);
    if (await hasSymptom("client")) {
      throw new Error(`${option} does not help: client/${symptom.file} has ${symptom.text}`);
    }
    if (!(await hasSymptom("without-workarounds"))) {
      throw new Error(`${option} is not needed any more: take it off the list`);
    }
  }
}
