import { createHash } from "node:crypto";
import { LruMap } from "../../lru-map.ts";
import { compileTemplate, type TemplateContent } from "./compile-template.ts";
import type { TemplateKey } from "./template-content.ts";
import { maxRememberedChecks } from "./templates.policy.ts";

const checked = {} as const;

/**
 * Compiles stored templates for messages, and checks each content once: a version with stricter rules begins with another process, which
 * remembers nothing. A start whose template was forgotten, or that is served without a lease, reads it again, but does not check it again.
 */
export class CheckedTemplates {
  /** The hashes of contents without a problem. */
  readonly #known = new LruMap<string, typeof checked>(maxRememberedChecks);

  compile(key: Pick<TemplateKey, "channel" | "locale">, content: TemplateContent): ReturnType<typeof compileTemplate> {
    const source = JSON.stringify([key.channel, key.locale, content]);
    const hash = createHash("sha256").update(source).digest("base64");
    const compiled = compileTemplate(key, content, this.#known.get(hash) !== undefined);
    if ("template" in compiled) {
      this.#known.set(hash, checked);
    }
    return compiled;
  }
}
