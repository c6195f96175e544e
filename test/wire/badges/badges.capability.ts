import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { defineEntity, p } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import { Counter } from "prom-client";
import { keyCaller } from "../../../src/access/caller.ts";
import type { Capability } from "../../../src/capability.ts";
import { settingGroup } from "../../../src/config/setting-group.ts";
import { randomBase62 } from "../../../src/crypto/ids.ts";
import { statement, text } from "../../../src/database/statement.ts";
import { bindService } from "../../../src/rpc/router.ts";

const root = join(import.meta.dirname, "../../..");

export interface BadgeSettings {
  readonly badgeText: string;
}

const BadgeEntity = defineEntity({
  name: "Badge",
  tableName: "badge",
  properties: { id: p.text().primary(), workspaceId: p.text(), name: p.text() },
});

class Badges0001 extends Migration {
  override up(): void {
    this.addSql("CREATE TABLE badge (id text PRIMARY KEY, workspace_id text NOT NULL, name text NOT NULL)");
    this.addSql("CREATE INDEX badge_of_workspace ON badge (workspace_id, id)");
  }
}

const insertBadge = statement<{ id: string }>("insert_badge")(
  { id: text, workspaceId: text, name: text },
  ({ id, workspaceId, name }) =>
    `INSERT INTO badge (id, workspace_id, name) VALUES (${id}, ${workspaceId}, ${name}) RETURNING id`,
);

type BadgeService = GenService<{
  readonly issueBadge: {
    readonly methodKind: "unary";
    readonly input: GenMessage<Message<"badges.v1.IssueBadgeRequest"> & { name: string }>;
    readonly output: GenMessage<Message<"badges.v1.Badge"> & { id: string; name: string }>;
  };
}>;

/** The service of `badges.proto`, out of a descriptor: nothing is generated for it, and its types are written above. */
export async function readBadgeService(): Promise<BadgeService> {
  const modules = ["proto", "third_party", "test/wire/badges"].map((path) => ({ path }));
  const config = JSON.stringify({ version: "v2", modules });
  const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
  const { stdout: image } = await promisify(execFile)(process.execPath, [buf, "build", "--config", config, "-o", "-"], {
    cwd: root,
    encoding: "buffer",
  });
  const { files } = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const service: unknown = [...files].flatMap((file) => file.services).find(({ name }) => name === "BadgeService");
  return service as BadgeService;
}

/** A capability with something of everything that one can contribute. It is swept of badges of the name `swept`. */
export function badgesCapability(
  service: BadgeService,
  changes: Partial<Capability<BadgeSettings>> = {},
): Capability<BadgeSettings> {
  return {
    name: "badges",
    scopes: ["badges"],
    entities: [BadgeEntity],
    workspaceTables: { badge: "id" },
    migrations: [{ name: "badges-0001", class: Badges0001 }],
    settings: [settingGroup("Badges", { BADGE_TEXT: { default: "no text", meaning: "What `/badges` says." } })],
    readSettings: (reader) => ({ badgeText: reader.text("BADGE_TEXT") ?? "no text" }),
    describe: ({ badgeText }) => ({ fields: { badge_text: badgeText } }),
    start({ database }, { badgeText }) {
      const badgesIssued = new Counter({ name: "byond_badges_issued_total", help: "Badges issued.", registers: [] });
      const binding = bindService(service, {
        async issueBadge({ name }, context) {
          const id = `bdg_${randomBase62(12)}`;
          await database.run(insertBadge, { id, workspaceId: keyCaller(context).workspaceId, name });
          badgesIssued.inc();
          return { id, name };
        },
      });
      return {
        services: [{ binding }],
        sweeps: [
          {
            name: "sweep_badges",
            async removeBatch() {
              await database.withEntities([BadgeEntity], (entities) =>
                entities.nativeDelete(BadgeEntity, { name: "swept" }),
              );
              return false;
            },
          },
        ],
        pages: () =>
          new Map([
            [
              "/badges",
              (_request, response) => {
                response.end(badgeText);
                return "served";
              },
            ],
          ]),
        metrics: [badgesIssued],
      };
    },
    ...changes,
  };
}
