/** The files in `deploy/` and the Dockerfile say the same as the server and as each other. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseConfig, standardCapabilities } from "../../src/app.ts";
import { settingsByName } from "../../src/config/setting-group.ts";
import { settingGroupsOf } from "../../src/process/server-config.ts";
import { useTestApp } from "../support/app.ts";
import { makeCertificate } from "../support/certificates.ts";
import { imageConfig, readDockerfile, root } from "./dockerfile.ts";
import {
  composeExample,
  type Example,
  kubernetesExample,
  kubernetesSecret,
  readCompose,
  readText,
  readYaml,
  systemdExample,
} from "./settings-of-examples.ts";

const stages = await readDockerfile();
const image = imageConfig(stages);
const compose = await readCompose();
const settings = settingsByName(settingGroupsOf(standardCapabilities()));
/** What is for Node and its libraries. */
const others = ["PATH", "MALLOC_ARENA_MAX"];
/** What a stop takes at most, after draining: docs/guides/operations.md, "A server dies". */
const stopSeconds = 15;

const examples: readonly (readonly [string, Example])[] = [
  ["compose.yaml, byond-a", await composeExample("byond-a")],
  ["compose.yaml, byond-b", await composeExample("byond-b")],
  ["kubernetes", await kubernetesExample()],
  ["systemd", await systemdExample()],
];

describe.each(examples)("%s", (_, example) => {
  const environment = { ...image.environment, ...example.environment };

  test("every variable is a setting, and the server takes them together", () => {
    expect(Object.keys(environment).filter((name) => !settings.has(name) && !others.includes(name))).toEqual([]);
    const config = parseConfig(environment);
    expect(config.isPublic).toBe(true);
    expect(config.port).toBe(image.port);
    expect(config.emptySettings).toEqual([]);
  });

  test("PUBLIC_URL, TRUSTED_PROXIES and METRICS_TOKEN are set", () => {
    expect(Object.keys(environment)).toEqual(
      expect.arrayContaining(["PUBLIC_URL", "TRUSTED_PROXIES", "METRICS_TOKEN", "DRAIN_SECONDS"]),
    );
  });

  test("a server that stops serves on until it gets no more requests, and is not killed before it has finished", () => {
    const drainSeconds = Number(environment.DRAIN_SECONDS);
    expect(drainSeconds).toBeGreaterThan(example.noticeSeconds);
    expect(example.graceSeconds).toBeGreaterThanOrEqual(example.preStopSeconds + drainSeconds + stopSeconds);
  });
});

test("images are of one version each, and Node's is that of the tests", async () => {
  const { devDependencies, version } = JSON.parse(await readText("package.json"));
  const bases = [...new Set(stages.map(({ from }) => from))];
  expect(bases).toEqual([`node:${devDependencies.node}-trixie-slim`, "scratch"]);
  const images = Object.values<{ image: string }>(compose.services).map((service) => service.image);
  expect(images.filter((name) => !/^[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?$/.test(name))).toEqual([]);
  expect(images).toContain(`byond:${version}`);
  const kustomization = await readYaml("deploy/kubernetes/kustomization.yaml");
  expect(kustomization.images).toMatchObject([{ name: "byond", newTag: version }]);
});

describe("compose.yaml", () => {
  test("each file that it mounts exists", () => {
    const mounted = Object.values<{ volumes?: readonly string[] }>(compose.services)
      .flatMap(({ volumes = [] }) => volumes)
      .map((volume) => volume.split(":")[0] ?? "")
      .filter((source) => source.startsWith("."));
    expect(mounted.length).toBeGreaterThan(4);
    expect(mounted.filter((source) => !existsSync(join(root, "deploy/compose", source)))).toEqual([]);
  });

  test("the proxy and Prometheus know both servers by name and port, and the servers the proxy by its address", async () => {
    const servers = Object.keys(compose.services).filter((name) => compose.services[name].build !== undefined);
    expect(servers).toEqual(["byond-a", "byond-b"]);
    const addresses = servers.map((name) => `${name}:${image.port}`);
    const caddyfile = await readText("deploy/compose/Caddyfile");
    expect(Array.from(caddyfile.matchAll(/h2c:\/\/(\S+)/g), ([, address]) => address)).toEqual(addresses);
    const prometheus = await readYaml("deploy/compose/prometheus.yaml");
    expect(prometheus.scrape_configs[0]).toMatchObject({ job_name: "byond", static_configs: [{ targets: addresses }] });
    const { environment } = await composeExample("byond-a");
    expect(compose.services.proxy.networks.default.ipv4_address).toBe(environment.TRUSTED_PROXIES);
    expect(prometheus.scrape_configs[0].authorization.credentials_file).toBe("/run/secrets/metrics_token");
    expect(compose.services.prometheus.secrets).toEqual(["metrics_token"]);
  });

  test("the servers may write nothing and become nobody else", () => {
    for (const name of ["byond-a", "byond-b"]) {
      expect(compose.services[name]).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
    }
  });

  test("Grafana finds the dashboard where it is mounted", async () => {
    const provider = await readYaml("deploy/compose/grafana/dashboards.yaml");
    const mounts: readonly string[] = compose.services.grafana.volumes;
    const folder = provider.providers[0].options.path;
    expect(mounts).toContain(`../grafana/dashboard.json:${folder}/byond.json:ro`);
    const { datasources } = await readYaml("deploy/compose/grafana/datasource.yaml");
    expect(datasources).toMatchObject([{ type: "prometheus", url: "http://prometheus:9090", isDefault: true }]);
  });
});

describe("deploy/kubernetes", async () => {
  const folder = join(root, "deploy/kubernetes");
  const kustomization = await readYaml("deploy/kubernetes/kustomization.yaml");
  const { spec } = await readYaml("deploy/kubernetes/deployment.yaml");
  const [container] = spec.template.spec.containers;
  const app = useTestApp();

  test("each file is one of the kustomization, or one of those that need a CRD or Helm", () => {
    const files = globSync("*.yaml", { cwd: folder }).filter((file) => file !== "kustomization.yaml");
    const extra = ["pod-monitor.yaml", "prometheus-adapter.yaml", "route.yaml"];
    expect(files.sort()).toEqual([...kustomization.resources, ...extra].sort());
  });

  test("what selects the pods selects them", async () => {
    const { labels } = spec.template.metadata;
    const service = await readYaml("deploy/kubernetes/service.yaml");
    const policy = await readYaml("deploy/kubernetes/network-policy.yaml");
    const budget = await readYaml("deploy/kubernetes/disruption-budget.yaml");
    const monitor = await readYaml("deploy/kubernetes/pod-monitor.yaml");
    expect(spec.selector.matchLabels).toEqual(labels);
    expect(service.spec.selector).toEqual(labels);
    expect(policy.spec.podSelector.matchLabels).toEqual(labels);
    expect(budget.spec.selector.matchLabels).toEqual(labels);
    expect(monitor.spec.selector.matchLabels).toEqual(labels);
    expect(service.spec.ports[0].targetPort).toBe(container.ports[0].name);
    expect(monitor.spec.podMetricsEndpoints[0].port).toBe(container.ports[0].name);
    expect(container.ports[0].containerPort).toBe(image.port);
    expect(policy.spec.ingress[0].ports).toEqual([{ port: image.port }]);
    const { scaleTargetRef } = (await readYaml("deploy/kubernetes/autoscaler.yaml")).spec;
    expect(scaleTargetRef).toMatchObject({ kind: "Deployment", name: "byond" });
    expect(Object.keys(await kubernetesSecret())).toContain(
      monitor.spec.podMetricsEndpoints[0].authorization.credentials.key,
    );
  });

  test("pods run as the image's user, and what they probe is served", async () => {
    expect(spec.template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: image.user.uid,
      runAsGroup: image.user.gid,
    });
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      const { path, port } = container[probe].httpGet;
      expect(port).toBe(container.ports[0].name);
      expect((await fetch(app.url + path)).status, path).toBe(200);
    }
  });

  test("the metric of the autoscaler is made of series that a server has", async () => {
    const { rules } = await readYaml("deploy/kubernetes/prometheus-adapter.yaml");
    const autoscaler = await readYaml("deploy/kubernetes/autoscaler.yaml");
    expect(autoscaler.spec.metrics[0].pods.metric.name).toBe(rules.custom[0].name.as);
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    const queries = `${rules.custom[0].seriesQuery} ${rules.custom[0].metricsQuery}`;
    const names = [...new Set(queries.match(/byond_\w+/g))];
    expect(names).toEqual(["byond_event_loop_busy_seconds_total", "byond_processes"]);
    for (const name of names) {
      expect(metrics).toMatch(new RegExp(`^${name}[ {]`, "m"));
    }
  });

  test("all servers of a deploy fit into PostgreSQL's default of 100 connections", async () => {
    const { maxReplicas } = (await readYaml("deploy/kubernetes/autoscaler.yaml")).spec;
    const { environment } = await kubernetesExample();
    const servers = maxReplicas + spec.strategy.rollingUpdate.maxSurge;
    expect(servers * (Number(environment.DATABASE_POOL_SIZE) + 2) + 2 + 3).toBeLessThanOrEqual(100);
  });

  test("each file is one object of YAML without repeated keys", async () => {
    for (const file of globSync("**/*.yaml", { cwd: join(root, "deploy") })) {
      const documents = parseAllDocuments(await readText(join("deploy", file)), { merge: true });
      expect(documents, file).toHaveLength(1);
      expect("errors" in documents ? [] : documents.flatMap(({ errors }) => errors), file).toEqual([]);
    }
  });
});

test("the health check speaks TLS where the server does, whatever name its certificate is for", async () => {
  const { key, cert } = makeCertificate({ commonName: "verify.example.com", names: ["verify.example.com"] });
  const server = createServer({ key, cert }, (_, response) => response.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const PORT = String(typeof address === "object" ? address?.port : "");
  const check = (environment: Record<string, string>) =>
    once(spawn(process.execPath, [join(root, "deploy/health-check.js")], { env: environment }), "exit");
  expect(await check({ PORT, TLS_CERT: "/etc/byond/tls.pem", HOST: "0.0.0.0" })).toEqual([0, null]);
  expect(await check({ PORT, HOST: "0.0.0.0" })).toEqual([1, null]);
  server.close();
});
