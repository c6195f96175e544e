import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { once } from "../../../server/once.ts";
import { chapters } from "../guide.ts";
import { byGroup, groupTitle } from "../openapi/titles.ts";
import { decisionsPage, decisionsPath } from "./decisions-page.ts";
import { errorsPage } from "./errors-page.ts";
import { groupPage } from "./group-page.ts";
import { homePage, homePath } from "./home-page.ts";
import { chapterPage, chapterPath, filePageOf } from "./markdown-pages.ts";
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

/** A page that is read when the reference is first asked for: a start does not wait for a hundred files, nor keep them for nobody. */
export interface ListedPage {
  readonly path: string;
  readonly read: () => Promise<ReferencePage>;
}

/** All pages of the reference, in the order of the navigation; those that it does not list are last. */
export async function listPages(services: readonly DescService[]): Promise<readonly ListedPage[]> {
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
    [decisionsFolder, decisionsPath],
  ]);
  const pathOfFile = (file: string) => paths.get(file.replace(/\/$/, ""));
  const pageOfFile = (file: string, path: string, section?: Section): ListedPage => ({
    path,
    read: once(() => filePageOf(file, path, section, pathOfFile)),
  });
  const filePages = (section: Section) =>
    files.filter(([, , where]) => where === section).map(([file, path]) => pageOfFile(file, path, section));
  const decisionPages = decisions.map(([file, path]) => pageOfFile(file, path));
  const listOfDecisions = {
    path: decisionsPath,
    read: once(async () => decisionsPage(await Promise.all(decisionPages.map(({ read }) => read())))),
  };
  return [
    { path: homePath, read: once(homePage) },
    ...chapters.map((name) => ({ path: chapterPath(name), read: once(() => chapterPage(name)) })),
    ...filePages("Guides"),
    ...services.toSorted(byGroup).map((service) => listed(groupPage(groupTitle(service)))),
    listed(errorsPage),
    ...filePages("Running a server"),
    ...(decisionPages.length === 0 ? [] : [listOfDecisions]),
    ...decisionPages,
  ];
}

/** A page that is made of no file. */
function listed(page: ReferencePage): ListedPage {
  return { path: page.path, read: async () => page };
}
