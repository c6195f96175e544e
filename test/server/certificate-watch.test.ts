/** A certificate that is renewed in its files, in the ways in which that is done. */
import { execFileSync } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { CertificateWatch, type CertificateWatchOptions } from "../../src/server/certificate-watch.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { captureLog } from "../support/log-capture.ts";
import { makeFolder } from "../system/main-process.ts";

const never = 3_600_000;
const hourMs = 3_600_000;
const authority = (commonName: string) => makeCertificate({ commonName, isAuthority: true });
const make = (expiresAtMs?: number) =>
  makeCertificate({ commonName: "a.example", names: ["a.example"], ...(expiresAtMs && { expiresAtMs }) });
const pem = ({ cert, key }: Pick<Certificate, "cert" | "key">) => ({ cert: cert.toString(), key: key.toString() });

async function write(folder: string, { cert, key }: Pick<Certificate, "cert" | "key">): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "tls.crt"), cert);
  await writeFile(join(folder, "tls.key"), key);
}

/** Watches `tls.crt` and `tls.key` of a folder. What it hands on is in `taken`. */
async function watch(
  folder: string,
  intervalMs = never,
  now = () => new Date(),
  options: Pick<CertificateWatchOptions, "read" | "deadlineMs"> = {},
) {
  const log = captureLog();
  const files = { certPath: join(folder, "tls.crt"), keyPath: join(folder, "tls.key") };
  const watch = await CertificateWatch.start({
    files,
    clock: { now },
    logger: log.logger,
    intervalMs,
    settleMs: 1,
    ...options,
  });
  const taken: { readonly cert: string; readonly key: string }[] = [];
  watch.follow((certificate) => taken.push(certificate));
  const lines = (): unknown[][] =>
    log.lines.map((line) => {
      const { event, reason } = JSON.parse(line);
      return [event, ...(reason === undefined ? [] : [reason])];
    });
  return { watch, taken, lines, [Symbol.dispose]: () => watch.stop() };
}

const renewals: Record<string, (folder: string, next: Certificate) => Promise<void>> = {
  "written in place": write,
  "renamed over": async (folder, next) => {
    await write(join(folder, "new"), next);
    await rename(join(folder, "new/tls.crt"), join(folder, "tls.crt"));
    await rename(join(folder, "new/tls.key"), join(folder, "tls.key"));
  },
  "deleted and made again": async (folder, next) => {
    await rm(join(folder, "tls.crt"));
    await rm(join(folder, "tls.key"));
    await write(folder, next);
  },
};

test.each(Object.entries(renewals))("files that are %s are taken over, without a signal", async (_how, renew) => {
  await using folder = await makeFolder();
  const [first, next] = [make(), make()];
  await write(folder.path, first);
  using watched = await watch(folder.path, 5);
  expect(watched.taken).toEqual([pem(first)]);
  await renew(folder.path, next);
  await vi.waitFor(() => expect(watched.watch.current).toEqual(pem(next)), { timeout: 20_000, interval: 5 });
  expect(watched.taken).toEqual([pem(first), pem(next)]);
});

test("a folder that Kubernetes swaps by turning a symbolic link is taken over, again and again", async () => {
  await using folder = await makeFolder();
  const versions = [make(), make(), make()];
  const turn = async (version: number, certificate: Certificate) => {
    await write(join(folder.path, `..${version}`), certificate);
    await symlink(`..${version}`, join(folder.path, "..data_tmp"));
    await rename(join(folder.path, "..data_tmp"), join(folder.path, "..data"));
    await rm(join(folder.path, `..${version - 1}`), { recursive: true, force: true });
  };
  const [first, ...others] = versions;
  await turn(0, first ?? make());
  await symlink("..data/tls.crt", join(folder.path, "tls.crt"));
  await symlink("..data/tls.key", join(folder.path, "tls.key"));
  using watched = await watch(folder.path, 5);
  for (const [index, next] of others.entries()) {
    await turn(index + 1, next);
    await vi.waitFor(() => expect(watched.watch.current).toEqual(pem(next)), { timeout: 20_000, interval: 5 });
  }
  expect(watched.taken).toEqual(versions.map(pem));
  // Certificate and key may have been read on either side of a turn: then they were refused, and read again.
  expect(watched.lines().filter(([event]) => event === "certificate_renewed")).toHaveLength(2);
});

test("what cannot be used is refused once, with the reason, and taken over when it can", async () => {
  await using folder = await makeFolder();
  const [first, next] = [make(), make()];
  await write(folder.path, first);
  using watched = await watch(folder.path, 5);
  await write(join(folder.path, "new"), next);
  await rename(join(folder.path, "new/tls.crt"), join(folder.path, "tls.crt"));
  await vi.waitFor(() => expect(watched.lines()).toHaveLength(1), { timeout: 20_000, interval: 5 });
  // It says so again where an operator asks for it.
  await watched.watch.reload();
  const reason = expect.stringMatching(
    /^TLS_KEY: \S+tls\.key is not the key of the certificate in TLS_CERT, \S+tls\.crt$/,
  );
  expect(watched.lines()).toEqual([
    ["certificate_refused", reason],
    ["certificate_refused", reason],
  ]);
  expect(watched.watch.current).toEqual(pem(first));
  await rename(join(folder.path, "new/tls.key"), join(folder.path, "tls.key"));
  await vi.waitFor(() => expect(watched.watch.current).toEqual(pem(next)), { timeout: 20_000, interval: 5 });
  expect(watched.lines().slice(2)).toEqual([["certificate_renewed"]]);
  expect(watched.taken).toEqual([pem(first), pem(next)]);
});

test.each<[string, (folder: string) => Promise<void>, RegExp]>([
  ["one that has expired", (folder) => write(folder, make(Date.now() - hourMs)), /^TLS_CERT: \S+ expired at 20\S+Z$/],
  [
    "the key of another",
    (folder) => write(folder, { cert: make().cert, key: make().key }),
    /^TLS_KEY: \S+ is not the key of the certificate/,
  ],
  [
    "half a file",
    (folder) => write(folder, { ...make(), cert: make().cert.subarray(0, 200) }),
    /holds no certificate in PEM/,
  ],
  ["an empty file", (folder) => write(folder, { ...make(), key: Buffer.from("") }), /holds no key in PEM/],
  [
    "the beginning of a chain",
    (folder) => {
      const next = make();
      return write(folder, {
        ...next,
        cert: Buffer.concat([next.cert, authority("an authority").cert.subarray(0, 40)]),
      });
    },
    /^TLS_CERT: \S+ does not end after its last complete certificate$/,
  ],
  [
    "a chain that is another's",
    (folder) => {
      const next = make();
      return write(folder, { ...next, cert: Buffer.concat([next.cert, authority("an authority").cert]) });
    },
    /^TLS_CERT: certificate 2 in \S+ is not the issuer of certificate 1$/,
  ],
  ["no file", (folder) => rm(join(folder, "tls.key")), /^TLS_KEY: ENOENT/],
])("%s is refused; the old one stays", async (_what, replace, reason) => {
  await using folder = await makeFolder();
  const first = make();
  await write(folder.path, first);
  using watched = await watch(folder.path);
  await replace(folder.path);
  await watched.watch.reload();
  expect(watched.lines()).toEqual([["certificate_refused", expect.stringMatching(reason)]]);
  expect(watched.taken).toEqual([pem(first)]);
  // What is back as it was is no news.
  await write(folder.path, first);
  await watched.watch.reload();
  expect(watched.lines()).toHaveLength(1);
});

test("one that is not valid yet is taken over when it is", async () => {
  await using folder = await makeFolder();
  const [first, next] = [make(), make()];
  await write(folder.path, first);
  let now = new Date(Date.now() - hourMs);
  using watched = await watch(folder.path, never, () => now);
  await write(folder.path, next);
  await watched.watch.reload();
  expect(watched.lines()).toEqual([["certificate_refused", expect.stringMatching(/ is not valid before 20\S+Z$/)]]);
  now = new Date();
  await watched.watch.reload();
  expect(watched.watch.current).toEqual(pem(next));
});

test("a server starts with one that has expired, and leaves it for a better one", async () => {
  await using folder = await makeFolder();
  await write(folder.path, make(Date.now() - hourMs));
  using watched = await watch(folder.path);
  const next = make();
  await write(folder.path, next);
  await watched.watch.reload();
  expect(watched.watch.current).toEqual(pem(next));
});

test("a chain that is written block by block is taken over when it is whole", async () => {
  await using folder = await makeFolder();
  const first = make();
  await write(folder.path, first);
  const issuer = authority("an authority");
  const next = makeCertificate({ commonName: "a.example", names: ["a.example"], issuer });
  const whole = { cert: `${next.cert}${issuer.cert}`, key: next.key.toString() };
  const found = [pem(first), pem(next), whole, whole];
  const read = async () => found.shift() ?? whole;
  using watched = await watch(folder.path, never, undefined, { read });
  await watched.watch.reload();
  expect(watched.taken).toEqual([pem(first), whole]);
  expect(watched.lines()).toEqual([["certificate_renewed"]]);
});

test("a read that does not return is logged once, has no other beside it, and is waited for by nobody", async () => {
  await using folder = await makeFolder();
  const [first, next] = [make(), make()];
  await write(folder.path, first);
  const hung = Promise.withResolvers<ReturnType<typeof pem>>();
  const read = vi.fn(async () => pem(next));
  read.mockResolvedValueOnce(pem(first)).mockReturnValueOnce(hung.promise);
  using watched = await watch(folder.path, never, undefined, { read, deadlineMs: 20 });
  await watched.watch.reload();
  await watched.watch.reload();
  const refused = [
    "certificate_refused",
    expect.stringMatching(/^TLS_CERT and TLS_KEY: reading \S+ and \S+ takes longer than 20 ms$/),
  ];
  expect(watched.lines()).toEqual([refused, refused]);
  expect(read).toHaveBeenCalledTimes(2);
  hung.resolve(pem(first));
  await watched.watch.reload();
  await watched.watch.reload();
  expect(watched.taken).toEqual([pem(first), pem(next)]);
  const start = watch(folder.path, never, undefined, {
    read: () => Promise.withResolvers<never>().promise,
    deadlineMs: 1,
  });
  await expect(start).rejects.toThrow(/takes longer than 1 ms/);
});

test.skipIf(process.platform === "win32")("a FIFO is refused, at the start and later, also behind a link", async () => {
  await using folder = await makeFolder();
  const first = make();
  await write(folder.path, first);
  execFileSync("mkfifo", [join(folder.path, "fifo")]);
  using watched = await watch(folder.path);
  await rm(join(folder.path, "tls.crt"));
  await symlink("fifo", join(folder.path, "tls.crt"));
  await watched.watch.reload();
  const reason = /^TLS_CERT: \S+tls\.crt is not a regular file$/;
  expect(watched.lines()).toEqual([["certificate_refused", expect.stringMatching(reason)]]);
  expect(watched.taken).toEqual([pem(first)]);
  await expect(watch(folder.path)).rejects.toThrow(/tls\.crt is not a regular file/);
});
