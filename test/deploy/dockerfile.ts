import { readFile } from "node:fs/promises";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** A part of a Dockerfile, from one FROM to the next. */
export interface Stage {
  readonly from: string;
  /** Empty: the last one, which is the image. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** Reads the Dockerfile of this repository, as far as it uses the language. */
export async function readDockerfile(): Promise<readonly Stage[]> {
  const text = await readFile(join(root, "Dockerfile"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const instructions = lines
    .join("\n")
    .replaceAll(/\s*\\\n\s*/g, " ")
    .split("\n")
    .map((line) => ({ name: line.slice(0, line.indexOf(" ")), text: line.slice(line.indexOf(" ") + 1) }));
  const stages: { from: string; name: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    if (instruction.name === "FROM") {
      const [from = "", , name = ""] = instruction.text.split(" ");
      stages.push({ from, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

/** How containers of the image are run. */
export interface ImageConfig {
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly workingFolder: string;
  readonly port: number;
  readonly healthCheck: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

export function imageConfig(stages: readonly Stage[]): ImageConfig {
  const last = stages.at(-1)?.instructions ?? [];
  const textOf = (name: string) => last.find((instruction) => instruction.name === name)?.text ?? "";
  const list = (text: string): string[] => JSON.parse(text.slice(text.indexOf("[")));
  const [uid = 0, gid = 0] = textOf("USER").split(":").map(Number);
  const variables = textOf("ENV").matchAll(/(\w+)=(\S+)/g);
  return {
    environment: Object.fromEntries(Array.from(variables, ([, name = "", value = ""]) => [name, value])),
    user: { uid, gid },
    workingFolder: textOf("WORKDIR"),
    port: Number(textOf("EXPOSE")),
    healthCheck: list(textOf("HEALTHCHECK")),
    entrypoint: list(textOf("ENTRYPOINT")),
    command: list(textOf("CMD")),
  };
}
