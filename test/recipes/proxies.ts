import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { MainProcess, makeFolder } from "../system/main-process.ts";
import { untilReady } from "./secure-client.ts";

const deploy = join(import.meta.dirname, "../../deploy");

/** What a recipe names, and what the tests have instead: two servers, a port, a certificate. */
interface Place {
  readonly port: number;
  /** `host:port` of the servers. */
  readonly servers: readonly [string, string];
  readonly folder: string;
}

interface Recipe {
  readonly program: string;
  /** Below `deploy/`. */
  readonly file: string;
  /** What is replaced in the file. Each has to be there. */
  readonly replaced: (place: Place) => readonly (readonly [there: string, here: string])[];
  /** What the program's own configuration, beside the recipe, consists of. */
  readonly around?: (recipeFile: string, place: Place) => string;
  readonly args: (file: string, place: Place) => readonly string[];
}

const addresses = ({ servers: [first, second] }: Place, names: readonly [string, string]) =>
  [
    [names[0], first],
    [names[1], second],
  ] as const;
const inNetwork = ["10.0.0.11:8080", "10.0.0.12:8080"] as const;

export const recipes: readonly Recipe[] = [
  {
    program: "nginx",
    file: "nginx/byond.conf",
    replaced: (place) => [
      ...addresses(place, inNetwork),
      ["listen 443", `listen 127.0.0.1:${place.port}`],
      ["server_name byond.example", "server_name localhost"],
      ["/etc/ssl/byond/fullchain.pem", join(place.folder, "cert.pem")],
      ["/etc/ssl/byond/privkey.pem", join(place.folder, "key.pem")],
    ],
    around: (recipeFile, { folder }) => {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
      const paths = temporary.map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join("\n");
      return `daemon off; pid ${join(folder, "pid")};\nevents {}\nhttp { access_log off; ${paths}\ninclude ${recipeFile}; }\n`;
    },
    args: (file, { folder }) => ["-p", folder, "-e", "stderr", "-c", file],
  },
  {
    program: "haproxy",
    file: "haproxy/haproxy.cfg",
    replaced: (place) => [
      ...addresses(place, inNetwork),
      ["bind :443", `bind 127.0.0.1:${place.port}`],
      ["/etc/haproxy/byond.pem", join(place.folder, "both.pem")],
    ],
    args: (file) => ["-db", "-f", file],
  },
  {
    program: "caddy",
    file: "compose/Caddyfile",
    replaced: (place) => [
      ...addresses(place, ["byond-a:8080", "byond-b:8080"]),
      ["\tservers {", "\tadmin off\n\tauto_https disable_redirects\n\tservers {"],
      [
        "{$PUBLIC_URL} {",
        [
          `https://localhost:${place.port} {`,
          "bind 127.0.0.1",
          `tls ${join(place.folder, "cert.pem")} ${join(place.folder, "key.pem")}`,
        ].join("\n"),
      ],
    ],
    args: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
];

/** A proxy as its recipe says, in front of two servers on this machine. Dispose of it. */
export interface RunningProxy extends AsyncDisposable {
  readonly port: number;
  /** Its certificate, which is for `localhost`. */
  readonly authority: Buffer;
  /** What it has written. */
  readonly written: () => string;
}

export async function startProxy(recipe: Recipe, servers: readonly [string, string]): Promise<RunningProxy> {
  await using resources = new AsyncDisposableStack();
  // nginx reads what it keeps there as another user.
  const { path: folder } = resources.use(await makeFolder(0o755));
  const place = { folder, servers, port: await freePort() };
  const { cert, key } = makeCertificate({ commonName: "localhost", names: ["localhost"] });
  await writeFile(join(folder, "cert.pem"), cert);
  await writeFile(join(folder, "key.pem"), key);
  await writeFile(join(folder, "both.pem"), Buffer.concat([cert, key]));
  let text = await readFile(join(deploy, recipe.file), "utf8");
  for (const [there, here] of recipe.replaced(place)) {
    if (!text.includes(there)) {
      throw new Error(`deploy/${recipe.file} has no ${there}`);
    }
    text = text.replaceAll(there, here);
  }
  const recipeFile = join(folder, "recipe");
  await writeFile(recipeFile, text);
  let file = recipeFile;
  if (recipe.around !== undefined) {
    file = join(folder, "configuration");
    await writeFile(file, recipe.around(recipeFile, place));
  }
  const environment = { HOME: folder };
  const proxy = resources.use(
    new MainProcess({ command: [recipe.program, ...recipe.args(file, place)], cwd: folder, environment }),
  );
  const target = { port: place.port, authority: cert };
  await Promise.race([
    untilReady(target),
    proxy.exited.then(() => {
      throw new Error(`${recipe.program} does not run:\n${proxy.written}`);
    }),
  ]);
  const kept = resources.move();
  return { ...target, written: () => proxy.written, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
