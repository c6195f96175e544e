import type { Mode } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import type { Logger } from "../../observe/log.ts";
import type { CredentialCache } from "../../revocation/credential-cache.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { templatesSubject } from "../../revocation/revocation-subjects.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { MessageTemplate } from "../channels/own-texts/message-template.ts";
import { textsFor } from "../channels/texts/languages.ts";
import { languageRange } from "../channels/texts/match-language.ts";
import { CheckedTemplates } from "./checked-templates.ts";
import { defaultLocale, templateChannels } from "./compile-template.ts";
import { readTemplate } from "./get-template.ts";
import type { TemplateTables } from "./message-template.entity.ts";
import { canonicalLocale, contentOf, type TemplateKey } from "./template-content.ts";
import { maxRememberedLists, maxRememberedTemplates } from "./templates.policy.ts";

/** What a template is chosen by. */
export interface TemplateWish {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly channel: ChannelName;
  /** Undefined: the start named none. */
  readonly locale: string | undefined;
  readonly isForApproval: boolean;
}

type TemplateOwner = Pick<TemplateKey, "workspaceId" | "mode">;

/** The channels and locales that a workspace's mode has templates for. */
type TemplateList = readonly Pick<TemplateKey, "channel" | "locale">[];

/**
 * The templates of messages. What a server has read it remembers until one of the workspace's templates changes on any server, as it does
 * with credentials: a message of a workspace without templates reads nothing, and no message has a text that was replaced before.
 */
export class TemplateStore {
  readonly #logger: Logger;
  readonly #lists: CredentialCache<TemplateList>;
  readonly #templates: CredentialCache<MessageTemplate>;
  readonly #checked = new CheckedTemplates();

  constructor(deps: {
    readonly database: QueryableTables;
    readonly revocation: Pick<RevocationService, "cache">;
    readonly logger: Logger;
  }) {
    const { database, revocation } = deps;
    this.#logger = deps.logger;
    this.#lists = revocation.cache({
      load: async (name) => {
        const owner: TemplateOwner = JSON.parse(name);
        const list = await readList(database, owner);
        return list.length === 0 ? undefined : { record: list, subjects: [] };
      },
      subjectOf: (name) => templatesSubject(JSON.parse(name)),
      maxEntries: maxRememberedLists,
    });
    this.#templates = revocation.cache({
      load: async (name) => {
        const template = await this.#load(database, JSON.parse(name));
        return template && { record: template, subjects: [] };
      },
      subjectOf: (name) => templatesSubject(JSON.parse(name)),
      maxEntries: maxRememberedTemplates,
    });
  }

  /** The template of a message: see `TemplateService` in the schema. Undefined: it has the server's text. */
  async find({
    workspaceId,
    mode,
    channel,
    locale,
    isForApproval,
  }: TemplateWish): Promise<MessageTemplate | undefined> {
    const list = await this.#lists.get(JSON.stringify({ workspaceId, mode } satisfies TemplateOwner));
    const own = templateChannels.find((each) => each === channel);
    if (list === undefined || own === undefined) {
      return undefined;
    }
    for (const candidate of candidatesFor(locale)) {
      if (!list.record.some((each) => each.channel === own && each.locale === candidate)) {
        continue;
      }
      const key: TemplateKey = { workspaceId, mode, channel: own, locale: candidate };
      const found = await this.#templates.get(JSON.stringify(key));
      if (found?.record.isForApproval === isForApproval) {
        return found.record;
      }
    }
    return undefined;
  }

  async #load(database: QueryableTables, key: TemplateKey): Promise<MessageTemplate | undefined> {
    const row = await readTemplate(database, key);
    const compiled = row && this.#checked.compile(key, contentOf(row));
    if (compiled === undefined || "template" in compiled) {
      return compiled?.template;
    }
    // It was stored by a version with other rules. The server's text is sent instead.
    const { workspaceId, channel, locale } = key;
    this.#logger.warn("template_refused", {
      workspace_id: workspaceId,
      channel,
      locale,
      fields: Object.keys(compiled.problems),
    });
    return undefined;
  }
}

/** The locales of the templates for a locale, the best first. `docs/guides/languages.md` has the rule. */
function candidatesFor(locale: string | undefined): readonly string[] {
  const range = locale === undefined ? [] : languageRange(canonicalLocale(locale)).map(canonicalLocale);
  // English is what others are sent as well, and is then to be the workspace's English.
  const english = textsFor(locale).language === "en" ? ["en"] : [];
  return [...new Set([...range, defaultLocale, ...english])];
}

async function readList(database: QueryableTables, { workspaceId, mode }: TemplateOwner): Promise<TemplateList> {
  return database.query((tables: TemplateTables) =>
    tables
      .selectFrom("message_template")
      .select(["channel", "locale"])
      .where("workspaceId", "=", workspaceId)
      .where("mode", "=", mode),
  );
}
