import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { chapters } from "../guide.ts";
import { byGroup, groupTitle } from "../openapi/titles.ts";
import { decisionsPage } from "./decisions-page.ts";
import { errorsPage } from "./errors-page.ts";
import { groupPage } from "./group-page.ts";
import { homePage } from "./home-page.ts";
import { chapterPage, filePageOf } from "./markdown-pages.ts";
import type { ReferencePage, Section } from "./reference-page.ts";

/** The folder of the product. */
const root = join(import.meta.dirname, "../../../..");

/** Installations may leave out `docs/`: the server starts without those pages. */
const isInstalled = (path: string) => existsSync(join(root, path));

/** Files of the repository that are pages, by path. The text of `docs/decisions/` is added to them. */
const repositoryFiles: readonly (readonly [file: string, path: string, section: Section])[] = [
  ["docs/guides/fraud-guard.md", "/docs/guides/fraud-guard", "Guides"],
  ["docs/guides/languages.md", "/docs/guides/languages", "Guides"],
  ["docs/guides/clients.md", "/docs/guides/clients", "Guides"],
  ["docs/guides/deploy.md", "/docs/guides/deploy", "Running a server"],
  ["docs/guides/proxies.md", "/docs/guides/proxies", "Running a server"],
  ["docs/guides/operations.md", "/docs/guides/operations", "Running a server"],
  ["docs/guides/monitoring.md", "/docs/guides/monitoring", "Running a server"],
  ["docs/guides/tracing.md", "/docs/guides/tracing", "Running a server"],
  ["docs/guides/delivery.md", "/docs/guides/delivery", "Running a server"],
  ["docs/guides/balance.md", "/docs/guides/balance", "Running a server"],
  ["docs/guides/lookup-source.md", "/docs/guides/lookup-source", "Running a server"],
  ["docs/provider-adapter/README.md", "/docs/guides/provider-adapter", "Running a server"],
  ["docs/security.md", "/docs/guides/security", "Running a server"],
  ["docs/performance.md", "/docs/guides/performance", "Running a server"],
  ["docs/scale.md", "/docs/guides/scale", "Running a server"],
  ["CHANGELOG.md", "/docs/guides/changelog", "Running a server"],
];

/** The pictures of those files. Their paths are those of the repository, so that the text has one address for both. */
export const pictures: readonly string[] = ["docs/pictures/fraud-guard.svg"].filter((file) => isInstalled(file));

const decisionsFolder = "docs/decisions";

/** All pages of the reference, in the order of the navigation; those that it does not list are last. */
export async function listPages(services: readonly DescService[]): Promise<readonly ReferencePage[]> {
  const names = isInstalled(decisionsFolder) ? await readdir(join(root, decisionsFolder)) : [];
  const files = repositoryFiles.filter(([file]) => isInstalled(file));
  const decisions = names
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => [`${decisionsFolder}/${name}`, `/docs/decisions/${name.replace(/\.md$/, "")}`] as const);
  const paths = new Map<string, string>([
    ...files.map(([file, path]) => [file, path] as const),
    ...decisions,
    ...pictures.map((file) => [file, `/${file}`] as const),
    ["docs/provider-adapter", "/docs/guides/provider-adapter"],
    [decisionsFolder, "/docs/decisions"],
  ]);
  const pathOfFile = (file: string) => paths.get(file.replace(/\/$/, ""));
  const filePages = (section: Section) =>
    Promise.all(
      files
        .filter(([, , where]) => where === section)
        .map(([file, path]) => filePageOf(file, path, section, pathOfFile)),
    );
  const decisionPages = await Promise.all(
    decisions.map(([file, path]) => filePageOf(file, path, undefined, pathOfFile)),
  );
  return [
    await homePage(),
    ...(await Promise.all(chapters.map(chapterPage))),
    ...(await filePages("Guides")),
    ...services.toSorted(byGroup).map((service) => groupPage(groupTitle(service))),
    errorsPage,
    ...(await filePages("Running a server")),
    ...(decisionPages.length === 0 ? [] : [decisionsPage(decisionPages)]),
    ...decisionPages,
  ];
}
