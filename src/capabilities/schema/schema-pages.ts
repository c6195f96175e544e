import { gzipSync } from "node:zlib";
import { once } from "../../server/once.ts";
import { redirectPage } from "../../server/redirect-page.ts";
import type { Page } from "../../server/request-handler.ts";
import { filePage, StaticFile } from "../../server/static-file.ts";
import { protoBundle, readDescriptorSet } from "./proto-bundle.ts";
import { tarOf } from "./tar.ts";

/** Revalidated on every use, because these paths stay the same when their content changes. Pages of every origin may read the schema: it is public. */
const options = { cacheControl: "no-cache", headers: { "Access-Control-Allow-Origin": "*" } };

const textType = "text/plain; charset=utf-8";

/** The folder of the archive's files, and the path that they are served below one by one. */
const folder = "protos/";

/** `/byond.binpb`, `/protos.tar.gz` and `/protos/…`. Nothing is read before the first request. */
export function schemaPages(): ReadonlyMap<string, Page> {
  const descriptorSet = once(async () => new StaticFile("application/protobuf", await readDescriptorSet()));
  const files = once(async () => {
    const bundle = await protoBundle();
    return {
      archive: new StaticFile("application/gzip", archiveOf(bundle)),
      byPath: new Map(Array.from(bundle, ([path, text]) => [path, new StaticFile(textType, Buffer.from(text))])),
    };
  });
  return new Map<string, Page>([
    ["/byond.binpb", filePage(descriptorSet, options)],
    ["/protos.tar.gz", filePage(async () => (await files()).archive, options)],
    ["/protos", redirectPage(308, folder)],
    [
      "/protos/*",
      filePage(async ({ url = "" }) => {
        const path = url.replace(/\?.*/s, "").slice(`/${folder}`.length);
        return (await files()).byPath.get(path === "" ? "README.md" : path);
      }, options),
    ],
  ]);
}

function archiveOf(bundle: ReadonlyMap<string, string>): Buffer {
  const archive = gzipSync(tarOf(new Map(Array.from(bundle, ([path, text]) => [folder + path, text]))), { level: 9 });
  // The header names the operating system (RFC 1952 §2.3.1): 255 is "unknown", and the same everywhere.
  archive[9] = 255;
  return archive;
}
