/**
 * `node bench/lookup-csv.ts [lines]`: how long `byond lookup --csv` takes for a file of a million lines, how much memory it needs at most, and the
 * summary that it prints. It needs some 200 MB in the folder of temporary files. Linux only.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../test/support/random.ts";
import { root } from "./processes.ts";

const lines = Number(process.argv[2] ?? 1_000_000);
const sampledEveryMs = 100;

/** The way in which a number is written, with a digit for each `#`. */
const forms = [
  "+659#######",
  "+65 8### ####",
  "+1415#######",
  "(212) ###-####",
  "+44 7911 ######",
  "+4915########",
  "+23480########",
  "+6281########",
  "+91 98### #####",
  "n/a",
];

async function writeNumbers(path: string): Promise<void> {
  const random = new Random(1);
  const file = createWriteStream(path);
  file.write("id,customer,phone,since\n");
  let part = "";
  for (let line = 0; line < lines; line += 1) {
    const number = random
      .pick(forms as [string, ...string[]])
      .replaceAll("#", () => String(Math.floor(random.between(0, 10))));
    part += `${line},"Customer, No. ${line}",${number},2026-01-0${1 + (line % 9)}\n`;
    if (part.length > 65_536) {
      if (!file.write(part)) {
        await once(file, "drain");
      }
      part = "";
    }
  }
  file.end(part);
  await once(file, "close");
}

async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
}

const folder = await mkdtemp(join(tmpdir(), "byond-lookup-csv-"));
try {
  const [input, result] = [join(folder, "in.csv"), join(folder, "out.csv")];
  await writeNumbers(input);
  await using output = await open(result, "w");
  const startedMs = performance.now();
  const program = spawn(
    process.execPath,
    [join(root, "src/main.ts"), "lookup", "--csv", input, "--column", "phone", "--country", "US"],
    { cwd: folder, stdio: ["ignore", output.fd, "pipe"] },
  );
  let summary = "";
  program.stderr?.setEncoding("utf8").on("data", (text: string) => {
    summary += text;
  });
  let peak = 0;
  const timer = setInterval(async () => {
    peak = Math.max(peak, await peakMegabytes(program.pid ?? 0));
  }, sampledEveryMs);
  const [status] = await once(program, "close");
  clearInterval(timer);
  const seconds = (performance.now() - startedMs) / 1_000;
  const megabytes = async (path: string) => `${Math.round((await stat(path)).size / 1_000_000)} MB`;
  console.log(`Machine: ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}.\n
${lines.toLocaleString("en")} lines, ${await megabytes(input)} in, ${await megabytes(result)} out, exit status ${status}: \
${seconds.toFixed(1)} s, ${Math.round(lines / seconds).toLocaleString("en")} lines a second, ${Math.round(peak)} MB of memory at most.\n
${summary}`);
} finally {
  await rm(folder, { recursive: true });
}
