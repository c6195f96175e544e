/** `npm run build`, and before `npm pack`: compiles `src/` into `dist/`, and puts the licence of the repository beside it. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const folder = import.meta.dirname;
const root = join(folder, "../..");
const dist = join(folder, "dist");

// Compiled beside it, since somebody may be running what is there.
const compiled = `${dist}-${process.pid}`;
execFileSync("tsc", ["-p", folder, "--outDir", compiled], {
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` },
});
// The compiler leaves the names of sources in declarations.
for (const file of globSync("**/*.d.ts", { cwd: compiled })) {
  const text = readFileSync(join(compiled, file), "utf8");
  writeFileSync(join(compiled, file), text.replace(/((?:from|import) "|import\(")(\.[^"]*)\.ts"/g, '$1$2.js"'));
}
if (existsSync(dist)) {
  renameSync(dist, `${compiled}-before`);
}
renameSync(compiled, dist);
rmSync(`${compiled}-before`, { recursive: true, force: true });
copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
