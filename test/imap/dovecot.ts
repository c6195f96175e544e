import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import { makeCertificate } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";

const user = "bounces@acme.example";
const password = "secret";
const startTimeoutMs = 20_000;

/**
 * Dovecot on 127.0.0.1, with one mailbox and a certificate that it signed itself. It can be killed and started again with the mailbox as
 * it was.
 */
export class Dovecot implements AsyncDisposable {
  readonly ports: { readonly imap: number; readonly imaps: number };
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(folder: string, ports: Dovecot["ports"]) {
    this.#folder = folder;
    this.ports = ports;
  }

  static async start(): Promise<Dovecot> {
    const folder = await mkdtemp(join(tmpdir(), "byond-dovecot-"));
    const dovecot = new Dovecot(folder, { imap: await freePort(), imaps: await freePort() });
    await mkdir(join(folder, "mail"));
    // Its processes run as other users.
    await chmod(folder, 0o755);
    await chmod(join(folder, "mail"), 0o777);
    const { cert, key } = makeCertificate({ commonName: "mail.acme.example" });
    await writeFile(join(folder, "certificate.pem"), cert);
    await writeFile(join(folder, "key.pem"), key, { mode: 0o600 });
    await writeFile(join(folder, "dovecot.conf"), dovecot.#settings());
    await dovecot.startAgain();
    return dovecot;
  }

  /** `BOUNCES_URL`, over TLS from the first byte or over STARTTLS. */
  url(scheme: "imap" | "imaps", parameters = "?tls.rejectUnauthorized=false"): string {
    return `${scheme}://${encodeURIComponent(user)}:${password}@127.0.0.1:${this.ports[scheme]}/INBOX${parameters}`;
  }

  /** The log lines of logins. */
  get logins(): string[] {
    return this.#log.split("\n").filter((line) => line.includes("imap-login: Info: Login:"));
  }

  /** Puts a mail into the mailbox, as a mail server would. */
  async deliver(source: string): Promise<void> {
    await this.#asOwner((client) => client.append("INBOX", source));
  }

  /** The flags of all mails, oldest first. */
  async flags(): Promise<string[][]> {
    return this.#asOwner(async (client) => {
      await client.mailboxOpen("INBOX", { readOnly: true });
      const found = await client.fetchAll("1:*", { flags: true });
      return found.map(({ flags }) => [...(flags ?? [])].filter((flag) => flag !== "\\Recent"));
    });
  }

  async startAgain(): Promise<void> {
    const child = spawn("dovecot", ["-F", "-c", join(this.#folder, "dovecot.conf")], {
      stdio: ["ignore", "ignore", "pipe"],
      // A group of its own: each connection has a process.
      detached: true,
    });
    this.#child = child;
    const end = () => killGroup(child);
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    const log = child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    const from = this.#log.length;
    const late = AbortSignal.timeout(startTimeoutMs);
    while (!this.#log.slice(from).includes("starting up for imap")) {
      if (late.aborted || child.exitCode !== null) {
        throw new Error(`Dovecot did not start:\n${this.#log}`);
      }
      const ended = once(child, "exit", { signal: late });
      await Promise.race([once(log, "data", { signal: late }), ended]).catch(() => undefined);
    }
  }

  /** `kill -9`, with all connections. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      killGroup(child);
      await once(child, "exit");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #asOwner<T>(work: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = new ImapFlow({
      host: "127.0.0.1",
      port: this.ports.imaps,
      secure: true,
      auth: { user, pass: password },
      tls: { rejectUnauthorized: false },
      logger: false,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.logout();
    }
  }

  #settings(): string {
    const { uid, username } = userInfo();
    // Without root, all of its processes run as we do.
    const users =
      uid === 0
        ? ""
        : `
      default_internal_user = ${username}
      default_login_user = ${username}
      service anvil {
        chroot =
      }
      service imap-login {
        chroot =
      }`;
    const owner = uid === 0 ? "dovecot" : username;
    return `
      protocols = imap
      listen = 127.0.0.1
      base_dir = ${this.#folder}/run
      state_dir = ${this.#folder}/state
      log_path = /dev/stderr
      ssl = required
      ssl_cert = <${this.#folder}/certificate.pem
      ssl_key = <${this.#folder}/key.pem
      auth_mechanisms = plain login
      first_valid_uid = 1
      mail_location = maildir:${this.#folder}/mail/inbox
      passdb {
        driver = static
        args = password=${password}
      }
      userdb {
        driver = static
        args = uid=${owner} gid=${owner} home=${this.#folder}/mail
      }
      service imap-login {
        inet_listener imap {
          port = ${this.ports.imap}
        }
        inet_listener imaps {
          port = ${this.ports.imaps}
          ssl = yes
        }
      }${users}
    `;
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) {
    process.kill(-pid, "SIGKILL");
  }
}
