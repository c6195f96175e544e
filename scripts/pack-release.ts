/**
 * `node scripts/pack-release.ts [<commit>]`: keeps the sources of the server at that commit, by default the latest, as the last release, beside
 * which `test/system/upgrade.test.ts` runs the server of today.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const root = join(import.meta.dirname, "..");
const [commit = "HEAD"] = process.argv.slice(2);

const parts = ["package.json", "src", "gen"];
const sources = execFileSync("git", ["archive", commit, ...parts], { cwd: root, maxBuffer: 2 ** 30 });
const packed = brotliCompressSync(sources, {
  params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: sources.length },
});
writeFileSync(join(root, "test/system/last-release.tar.br"), packed);
console.log(`test/system/last-release.tar.br: ${Math.round(packed.length / 1_000)} kB`);
