import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface CommandOptions {
  readonly cwd?: string;
  /** Variables in addition to PATH and HOME. No others are inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
}

/** A command that failed, with all that it wrote. */
export class CommandError extends Error {
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

/** Proxies, certificates and mirrors of package registries, which installing needs where they are set. */
const inherited = ["PATH", "HOME", "LANG", "TMPDIR", "GOPROXY", "GOFLAGS", "GOSUMDB", "GOCACHE", "GOPATH", "JAVA_HOME"];
const inheritedPattern =
  /^(npm_config_|pip_|cargo_|rustup_|ssl_cert_|requests_ca_|node_extra_ca_|https?_proxy$|no_proxy$)/i;

/** Runs a program without a shell. Returns its standard output, or throws a `CommandError`. It never outlives this process or its time. */
export async function runCommand(
  program: string,
  args: readonly string[],
  { cwd, environment = {}, timeoutSeconds = 300 }: CommandOptions = {},
): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => inherited.includes(name) || inheritedPattern.test(name)),
  );
  // A group of its own, so that what it starts ends with it.
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  let standardOutput = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    standardOutput += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const kill = () => killGroup(child);
  process.once("exit", kill);
  let isLate = false;
  const patience = setTimeout(() => {
    isLate = true;
    kill();
  }, timeoutSeconds * 1_000);
  try {
    const [code, signal] = await once(child, "close");
    if (code !== 0) {
      const how = isLate ? `took longer than ${timeoutSeconds} s` : `ended with ${code ?? signal}`;
      throw new CommandError(`${[program, ...args].join(" ")} ${how}`, output);
    }
    return standardOutput;
  } finally {
    clearTimeout(patience);
    process.off("exit", kill);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
      throw error;
    }
  }
}
