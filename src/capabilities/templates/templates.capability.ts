import { TemplateService } from "../../../gen/byond/v1/template_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { MessageTemplateEntity } from "./message-template.entity.ts";
import { templateFieldChecks, templateService } from "./template.rpc.ts";
import { TemplateStore } from "./template-store.ts";
import { Templates0001 } from "./templates-0001.migration.ts";

/** Texts of a workspace's own for the messages with codes. It offers the one of each message to who sends it. */
export function templatesCapability() {
  const offer = new Offer<Pick<TemplateStore, "find">>("templates");
  const capability: Capability = {
    name: "templates",
    scopes: ["templates"],
    entities: [MessageTemplateEntity],
    migrations: [{ name: "templates-0001", class: Templates0001 }],
    workspaceTables: { message_template: "mode, channel, locale" },
    start({ database, revocation, clock, logger }) {
      const templates = new TemplateStore({ database, revocation, logger });
      offer.give(templates);
      return {
        services: [
          {
            binding: bindService(TemplateService, templateService({ database, revocation, clock, templates })),
            fieldChecks: templateFieldChecks,
            shed: { listTemplates: "second", previewTemplate: "first" },
          },
        ],
      };
    },
  };
  return { ...capability, offer };
}
