import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "yaml";
import { root } from "./dockerfile.ts";

export const readText = (path: string): Promise<string> => readFile(join(root, path), "utf8");
export const readYaml = async (path: string) => parse(await readText(path), { merge: true });

/** An example of how to run servers, with what it gives them. */
export interface Example {
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds from the signal to stop until the process is killed. */
  readonly graceSeconds: number;
  /** Seconds in which nothing happens after that, and the server is not told yet. */
  readonly preStopSeconds: number;
  /** Seconds in which what is in front notices that a server is not ready. */
  readonly noticeSeconds: number;
}

/** The values that whoever follows the guide puts into `.env` beside compose.yaml. */
export async function composeVariables(): Promise<Record<string, string>> {
  const guide = await readText("docs/guides/deploy.md");
  const names = guide.matchAll(/^(\w+)=\$\(openssl rand -hex (\d+)\)$/gm);
  return Object.fromEntries(Array.from(names, ([, name = "", bytes]) => [name, "5a".repeat(Number(bytes))]));
}

/** Replaces `${NAME:?message}` and `${NAME:-default}`, as compose does. Throws if a value is missing. */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_, name, sign, rest) => {
    const value = variables[name] ?? (sign === "-" ? rest : undefined);
    if (value === undefined) {
      throw new Error(`${name} has no value`);
    }
    return value;
  });
}

export async function readCompose() {
  return parse(interpolate(await readText("deploy/compose/compose.yaml"), await composeVariables()), { merge: true });
}

const secondsOf = (text: unknown) => Number(/^(\d+)s$/.exec(String(text))?.[1]);

export async function composeExample(server: string): Promise<Example> {
  const { environment, stop_grace_period } = (await readCompose()).services[server];
  const caddyfile = await readText("deploy/compose/Caddyfile");
  const setting = (name: string) => secondsOf(new RegExp(`^\\s*${name} (\\S+)$`, "m").exec(caddyfile)?.[1]);
  return {
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
    graceSeconds: secondsOf(stop_grace_period),
    preStopSeconds: 0,
    noticeSeconds: setting("health_interval") + setting("health_timeout"),
  };
}

/** The keys of the secret that the guide creates. */
export async function kubernetesSecret(): Promise<Record<string, string>> {
  const guide = await readText("docs/guides/deploy.md");
  const literals = guide.matchAll(/--from-literal=(\w+)="?([^"\s]+)/g);
  return Object.fromEntries(
    Array.from(literals, ([, name = "", value = ""]) => [name, value.startsWith("$(") ? "5a".repeat(32) : value]),
  );
}

export async function kubernetesExample(): Promise<Example> {
  const { spec } = (await readYaml("deploy/kubernetes/deployment.yaml")).spec.template;
  const [container] = spec.containers;
  const lines = (await readText("deploy/kubernetes/settings.env")).split("\n").filter((line) => /^[^#]/.test(line));
  const settings = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  const { periodSeconds, failureThreshold } = container.readinessProbe;
  return {
    environment: { ...Object.fromEntries(settings), ...(await kubernetesSecret()) },
    graceSeconds: spec.terminationGracePeriodSeconds,
    preStopSeconds: container.lifecycle.preStop.sleep.seconds,
    noticeSeconds: periodSeconds * failureThreshold,
  };
}

/** Of systemd, behind HAProxy. */
export async function systemdExample(): Promise<Example> {
  const unit = await readText("deploy/systemd/byond.service");
  const secrets = Array.from(unit.matchAll(/(\w+)_FILE=%d/g), ([, name = ""]) => [
    name,
    name === "DATABASE_URL" ? "postgres://byond:password@localhost/byond" : "5a".repeat(32),
  ]);
  const proxy = await readText("deploy/haproxy/haproxy.cfg");
  const [, intervalSeconds, failures] = /inter (\d+)s fall (\d+)/.exec(proxy) ?? [];
  return {
    environment: { ...parseEnv(await readText("deploy/systemd/byond.env")), ...Object.fromEntries(secrets) },
    graceSeconds: secondsOf(/^TimeoutStopSec=(.*)$/m.exec(unit)?.[1]),
    preStopSeconds: 0,
    noticeSeconds: Number(intervalSeconds) * Number(failures),
  };
}
