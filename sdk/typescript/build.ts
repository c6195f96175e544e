/** `npm run build`, and before `npm pack`: compiles `src/` into `dist/`, and puts the licence of the repository beside it. */
import { execFileSync } from "node:child_process";
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const folder = import.meta.dirname;
const root = join(folder, "../..");
const dist = join(folder, "dist");

rmSync(dist, { recursive: true, force: true });
execFileSync("tsc", ["-p", folder], {
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` },
});
// The compiler leaves the names of sources in declarations.
for (const file of globSync("**/*.d.ts", { cwd: dist })) {
  const text = readFileSync(join(dist, file), "utf8");
  writeFileSync(join(dist, file), text.replace(/((?:from|import) "|import\(")(\.[^"]*)\.ts"/g, '$1$2.js"'));
}
copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
