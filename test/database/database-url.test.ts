import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type DatabaseAddress, parseDatabaseUrl } from "../../src/database/database-url.ts";
import { addressOf } from "../support/database-address.ts";

const near: DatabaseAddress = {
  host: "localhost",
  port: 5432,
  user: "byond",
  password: undefined,
  database: "codes",
  tls: undefined,
  applicationName: "byond",
  connectTimeoutMs: 5_000,
  options: undefined,
};
const far = { ...near, host: "db.example", password: "hunter2" };
const encrypted = { verifies: "nothing", authorities: undefined, clientCertificate: undefined } as const;
const root = { path: "/etc/root.pem" };

function problemsOf(url: string, environment: Readonly<Record<string, string>> = {}): string[] {
  const problems: string[] = [];
  parseDatabaseUrl(url, problems, (name) => environment[name]);
  return problems;
}

describe("DATABASE_URL means what libpq documents", () => {
  test.each<[string, DatabaseAddress]>([
    ["postgres://byond@localhost/codes", near],
    ["postgresql://byond@localhost:5432/codes", near],
    ["postgresql://byond@localhost:/codes", near],
    ["postgres://byond@127.0.0.2:6543/codes", { ...near, host: "127.0.0.2", port: 6543 }],
    ["postgres://byond@[::1]:6543/codes", { ...near, host: "::1", port: 6543 }],
    ["postgres://byond@/codes?host=::1", { ...near, host: "::1" }],
    ["postgres://byond@/codes?host=/run/postgresql", { ...near, host: "/run/postgresql" }],
    [
      "postgres://byond:hunter2@/codes?host=/run/pg&port=6543",
      { ...near, password: "hunter2", host: "/run/pg", port: 6543 },
    ],
    ["postgres:///codes?host=/run/postgresql&user=byond", { ...near, host: "/run/postgresql" }],
    ["postgres://?host=localhost&user=byond&dbname=codes", near],
    ["postgres://byond@%2Frun%2Fpostgresql/codes", { ...near, host: "/run/postgresql" }],
    [
      "postgres://byond@%2Frun%2Fpostgresql:6543/codes?sslmode=disable",
      { ...near, host: "/run/postgresql", port: 6543 },
    ],
    [
      "postgres://b%40y:p%3A%2F%25%40+%20w@localhost/c%2Fo",
      { ...near, user: "b@y", password: "p:/%@+ w", database: "c/o" },
    ],
    ["postgres://byond:h?u#n&t=2@localhost/codes", { ...near, password: "h?u#n&t=2" }],
    ["postgres://byond@localhost/codes?password=hunter2", { ...near, password: "hunter2" }],
    ["postgres://byond@localhost/codes?application_name=byond%20eu", { ...near, applicationName: "byond eu" }],
    ["postgres://byond@localhost/codes?connect_timeout=2", { ...near, connectTimeoutMs: 2_000 }],
    ["postgres://byond@localhost/codes?options=-c%20search_path%3Dcodes", { ...near, options: "-c search_path=codes" }],
    ["postgres://byond@localhost/codes?connect_timeout=10", near],
    ["postgres://byond@localhost,127.0.0.2:6543/codes", { ...near, others: [{ host: "127.0.0.2", port: 6543 }] }],
    [
      "postgres://byond@localhost:1,[::1]:2/codes?target_session_attrs=read-write",
      { ...near, port: 1, others: [{ host: "::1", port: 2 }] },
    ],
    [
      "postgres://byond@/codes?host=localhost,/run/pg&port=6543",
      { ...near, port: 6543, others: [{ host: "/run/pg", port: 6543 }] },
    ],
    [
      "postgres://byond@/codes?host=localhost,127.0.0.2&port=,6543",
      { ...near, others: [{ host: "127.0.0.2", port: 6543 }] },
    ],
    ["postgres://byond@localhost/codes?connect_timeout=0", near],
    ...["any", "read-write", "primary"].map((which): [string, DatabaseAddress] => [
      `postgres://byond@localhost/codes?target_session_attrs=${which}`,
      near,
    ]),
    [
      "postgres://byond@localhost/codes?channel_binding=prefer&gssencmode=disable&sslnegotiation=postgres&keepalives=1",
      near,
    ],
    ["postgres://byond@localhost/codes?channel_binding=disable&sslmode=disable&", near],
    ["postgres://byond@localhost/codes?sslmode=prefer", near],
    ["postgres://byond@127.0.0.1/codes?sslmode=allow", { ...near, host: "127.0.0.1" }],
    ["postgres://byond@/codes?host=/run/postgresql&sslmode=prefer", { ...near, host: "/run/postgresql" }],
    ["postgres://byond@LocalHost/codes", { ...near, host: "LocalHost" }],
    ["postgres://byond@localhost./codes", near],
    ["postgres://byond:hunter2@db.example/codes?sslmode=disable", far],
    ["postgres://byond:hunter2@db.example/codes?sslmode=require", { ...far, tls: encrypted }],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=require&sslrootcert=/etc/root.pem",
      { ...far, tls: { ...encrypted, verifies: "authority", authorities: root } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=verify-ca&sslrootcert=/etc/root.pem",
      { ...far, tls: { ...encrypted, verifies: "authority", authorities: root } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=verify-full&sslrootcert=root.pem",
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: { path: resolve("root.pem") } } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=verify-full&sslrootcert=system",
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: "system" } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslrootcert=system",
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: "system" } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=require&sslcert=/c.pem&sslkey=/k.pem",
      { ...far, tls: { ...encrypted, clientCertificate: { certPath: "/c.pem", keyPath: "/k.pem" } } },
    ],
  ])("%s", (url, address) => {
    expect(addressOf(url)).toEqual(address);
  });
});

describe("what is not honoured is refused, by the name of the parameter and without the password", () => {
  const good = "postgres://byond:hunter2@localhost/codes";
  const remote = "postgres://byond:hunter2@db.example/codes";
  test.each<[string, RegExp]>([
    // What weakens what the operator believes.
    [remote, /has no sslmode/],
    ["postgres://byond:hunter2@localhost.example/codes", /has no sslmode/],
    ["postgres://byond:hunter2@127.example/codes", /has no sslmode/],
    ["postgres://byond:hunter2@0.0.0.0/codes", /has no sslmode/],
    ["postgres://byond:hunter2@[::ffff:127.0.0.1]/codes", /has no sslmode/],
    [`${remote}?sslmode=prefer`, /sslmode=prefer/],
    [`${remote}?sslmode=allow`, /sslmode=allow/],
    [`${good}?sslmode=prefer&sslrootcert=/a`, /sslrootcert and sslmode=prefer/],
    ["postgres://byond:hunter2@localhost..example/codes?sslmode=prefer", /sslmode=prefer/],
    [`${remote}?sslmode=no-verify`, /disable, require, verify-ca, verify-full as its sslmode/],
    [`${remote}?sslmode=VERIFY-FULL`, /as its sslmode/],
    [`${good}?sslmode`, /empty sslmode/],
    [`${remote}?sslmode=verify-full`, /verify-full without sslrootcert/],
    [`${remote}?sslmode=verify-ca`, /verify-ca without sslrootcert/],
    [`${remote}?sslmode=verify-full&sslrootcert=`, /empty sslrootcert/],
    [`${remote}?sslmode=require&sslrootcert=system`, /sslmode=verify-full with sslrootcert=system/],
    [`${remote}?sslmode=verify-ca&sslrootcert=system`, /sslmode=verify-full with sslrootcert=system/],
    [`${remote}?sslmode=disable&sslrootcert=/a`, /sslrootcert and sslmode=disable/],
    [`${good}?sslrootcert=/a`, /sslrootcert without sslmode/],
    [`${good}?sslcert=/a&sslkey=/b`, /sslcert, sslkey without sslmode/],
    [`${remote}?sslmode=require&sslcert=/a`, /both sslcert and sslkey/],
    [`${remote}?sslmode=require&sslkey=/a`, /both sslcert and sslkey/],
    [`${remote}?sslmode=disable&sslmode=verify-full&sslrootcert=system`, /sslmode twice/],
    ["postgres://byond:hunter2@/codes?host=/run/pg&sslmode=require", /Unix socket/],
    ["postgres://byond:hunter2@/codes?host=/run/pg&sslrootcert=/a", /sslrootcert without sslmode/],
    // What names another server or nobody's.
    ["postgres://byond:hunter2@db.example/codes?host=/run/pg&sslmode=disable", /host twice/],
    [`${good}?port=1&port=2`, /port twice/],
    [`${good}?user=ada`, /user twice/],
    [`${good}?dbname=other`, /dbname twice/],
    ["postgres://byond:hunter2@a.example,/codes?sslmode=require", /empty host in its list/],
    ["postgres://byond:hunter2@a.example:1,b.example:x/codes?sslmode=require", /%2F/],
    [
      "postgres://byond:hunter2@/codes?host=a.example,b.example,c.example&port=1,2&sslmode=require",
      /3 hosts and 2 ports/,
    ],
    ["postgres://byond:hunter2@localhost,db.example/codes", /has no sslmode/],
    ["postgres://byond:hunter2@localhost,db.example/codes?sslmode=prefer", /sslmode=prefer/],
    ["postgres://byond:hunter2@a.example,b+c/codes?sslmode=require", /neither a name/],
    ["postgres://byond:hunter2@/codes?host=/run/pg,db.example&sslmode=require", /Unix socket/],
    [`${good}?load_balance_hosts=random`, /load_balance_hosts/],
    [`${good}?target_session_attrs=standby`, /target_session_attrs.*any or read-write or primary/],
    [`${good}?target_session_attrs=any&target_session_attrs=any`, /target_session_attrs twice/],
    [`${good}?host=/cloudsql/project:region:instance`, /host twice: leave out .*between "@" and "\/"/],
    [`${good}?sslmode=disable&&port=1`, /invalid name/],
    ["postgres://byond:hunter2@/codes", /has no host/],
    ["postgres:///codes?host=/run/pg", /has no user/],
    ["postgres://localhost/codes", /has no user/],
    ["postgres://byond:hunter2@localhost", /has no database/],
    ["postgres://byond:hunter2@localhost/", /has no database/],
    ["postgres://byond:@localhost/codes", /empty password/],
    ["postgres://byond@localhost/codes?password=", /empty password/],
    ["postgres://byond:hunter2@localhost:0/codes", /port/],
    ["postgres://byond:hunter2@localhost:65536/codes", /port/],
    ["postgres://byond:hunter2@[::1/codes", /%2F/],
    ["postgres://byond:hunter2@[localhost]/codes", /IPv6/],
    ["postgres://byond:hunter2@db_1..example-/codes?sslmode=require", /neither a name/],
    ["postgres://byond:hunter2@d%C3%BC.example/codes?sslmode=require", /neither a name/],
    ["postgres://byond:hunter2@/codes?host=@abstract&sslmode=disable", /neither a name/],
    // What cannot be taken apart in one way only.
    ["postgres://byond:hun@ter2@localhost/codes", /%40/],
    ["postgres://byond:hun/hunter2@localhost/codes", /%2F/],
    ["postgres://byond:hunter2 @localhost/codes", /percent-encoded/],
    ["postgres://byond:hunter2%@localhost/codes", /percent-encoded correctly in password/],
    ["postgres://byond:hunter2%00@localhost/codes", /percent-encoded correctly in password/],
    ["postgres://byond:hunter2%ff@localhost/codes", /percent-encoded correctly in password/],
    ["mysql://byond:hunter2@localhost/codes", /must be postgres:/],
    ["byond:hunter2@localhost/codes", /must be postgres:/],
    ["host=localhost password=hunter2", /must be postgres:/],
    ["socket:/run/pg?db=codes", /must be postgres:/],
    ["/run/pg codes", /must be postgres:/],
    // What others know.
    [`${good}?ssl=true`, /parameter ssl,.*sslmode/],
    [`${good}?uselibpqcompat=true&sslmode=require`, /uselibpqcompat/],
    [`${good}?channel_binding=require`, /channel_binding,.* remove it/],
    [`${good}?sslnegotiation=direct`, /sslnegotiation/],
    [`${good}?gssencmode=require`, /gssencmode/],
    [`${good}?keepalives=0`, /keepalives/],
    [`${good}?hostaddr=192.0.2.1`, /hostaddr/],
    [`${good}?passfile=/root/.pgpass`, /passfile/],
    [`${good}?service=main`, /service/],
    [`${good}?schema=private`, /schema/],
    [`${good}?pgbouncer=true`, /pgbouncer/],
    [`${good}?replication=database`, /replication/],
    [`${good}?client_encoding=LATIN1`, /client_encoding/],
    [`${good}?__proto__=1`, /__proto__/],
    [`${good}?SSLMODE=require`, /SSLMODE/],
    [`${good}?hunter2!=1`, /invalid name/],
    [`${good}?connect_timeout=-1`, /connect_timeout/],
    [`${good}?connect_timeout=2s`, /connect_timeout/],
    [`${good}?application_name=a%0Ab`, /application_name/],
    [`${good}?options=`, /empty options/],
  ])("%s", (url, problem) => {
    const problems = problemsOf(url);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).toMatch(/^DATABASE_URL /);
    expect(problems[0]).not.toMatch(/hunter2|ter2/);
  });

  test("an empty sslmode is no sslmode left out", () => {
    expect(problemsOf("postgres://byond@localhost/codes?sslmode=")).toContain("DATABASE_URL has an empty sslmode");
  });

  test("all problems are reported together", () => {
    expect(problemsOf("postgres://byond@db.example/codes?sslmode=prefer&connect_timeout=x&ssl=1")).toHaveLength(3);
  });
});

describe("libpq's variables", () => {
  const url = "postgres://byond:hunter2@db.example:5432/codes?sslmode=require";

  test("have no effect where the URL has the parameter, as with libpq", () => {
    const environment = {
      PGHOST: "a",
      PGPORT: "1",
      PGUSER: "u",
      PGPASSWORD: "p",
      PGDATABASE: "d",
      PGSSLMODE: "disable",
    };
    expect(problemsOf(url, environment)).toEqual([]);
  });

  test.each([
    ["PGSSLCERT", "sslcert"],
    ["PGOPTIONS", "options"],
    ["PGHOSTADDR", "hostaddr"],
    ["PGSERVICE", "service"],
    ["PGTARGETSESSIONATTRS", "target_session_attrs"],
    ["PGCHANNELBINDING", "channel_binding"],
    ["PGGSSENCMODE", "gssencmode"],
  ])("%s is refused where the URL leaves it out", (name, parameter) => {
    expect(problemsOf(url, { [name]: "hunter2" })).toEqual([
      `${name} is not supported: set ${parameter} in DATABASE_URL, or unset ${name}`,
    ]);
  });

  test.each([
    ["PGPASSWORD", "postgres://byond@localhost/codes"],
    ["PGPORT", "postgres://byond@localhost/codes"],
  ])("%s does not complete %s", (name, incomplete) => {
    expect(problemsOf(incomplete, { [name]: "1" })).toEqual([expect.stringMatching(`^${name} is not supported`)]);
  });

  test.each<[string, Record<string, string>, DatabaseAddress]>([
    ["postgres://byond:hunter2@db.example/codes", { PGSSLMODE: "require" }, { ...far, tls: encrypted }],
    ["postgres://byond:hunter2@db.example/codes", { PGSSLMODE: "disable" }, far],
    ["postgres://byond:hunter2@db.example/codes", { PGSSLMODE: "disable", PGSSLROOTCERT: "/etc/root.pem" }, far],
    [
      "postgres://byond:hunter2@db.example/codes",
      { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/etc/root.pem" },
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: root } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes",
      { PGSSLROOTCERT: "system" },
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: "system" } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=require",
      { PGSSLROOTCERT: "/etc/root.pem" },
      { ...far, tls: { ...encrypted, verifies: "authority", authorities: root } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=verify-full&sslrootcert=/etc/root.pem",
      { PGSSLMODE: "disable", PGSSLROOTCERT: "/other.pem" },
      { ...far, tls: { ...encrypted, verifies: "authority and name", authorities: root } },
    ],
    [
      "postgres://byond:hunter2@db.example/codes?sslmode=disable",
      { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/etc/root.pem" },
      far,
    ],
    [
      "postgres://byond@/codes?host=/run/postgresql",
      { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/etc/root.pem" },
      { ...near, host: "/run/postgresql" },
    ],
  ])("PGSSLMODE and PGSSLROOTCERT count where the URL is silent: %s with %j", (text, environment, address) => {
    const problems: string[] = [];
    expect(parseDatabaseUrl(text, problems, (name) => environment[name])).toEqual(address);
    expect(problems).toEqual([]);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{ PGSSLMODE: "prefer" }, /^DATABASE_URL with PGSSLMODE has sslmode=prefer/],
    [{ PGSSLMODE: "hunter2" }, /^DATABASE_URL with PGSSLMODE must have .* as its sslmode/],
    [{ PGSSLMODE: "verify-full" }, /^DATABASE_URL with PGSSLMODE has sslmode=verify-full without sslrootcert/],
    [{ PGSSLROOTCERT: "/etc/root.pem" }, /^DATABASE_URL with PGSSLROOTCERT has sslrootcert without sslmode/],
    [
      { PGSSLMODE: "require", PGSSLROOTCERT: "system" },
      /^DATABASE_URL with PGSSLMODE and PGSSLROOTCERT must have sslmode=verify-full with sslrootcert=system/,
    ],
  ])("they are held to the same rules, by their names: %j", (environment, problem) => {
    const problems = problemsOf("postgres://byond:hunter2@db.example/codes", environment);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain("hunter2");
  });

  test("values that ask for what happens anyway are accepted", () => {
    const environment = { PGTARGETSESSIONATTRS: "read-write", PGCHANNELBINDING: "prefer", PGGSSENCMODE: "disable" };
    expect(problemsOf(url, environment)).toEqual([]);
    expect(problemsOf(`${url}&target_session_attrs=any`, { PGTARGETSESSIONATTRS: "standby" })).toEqual([]);
  });

  test("a missing sslmode is reported, with what each mode does not do", () => {
    expect(problemsOf("postgres://byond@db.example/codes")).toEqual([
      expect.stringMatching(/PGSSLMODE.*verify-full.*require, which encrypts but does not verify the server.*disable/),
    ]);
  });
});
