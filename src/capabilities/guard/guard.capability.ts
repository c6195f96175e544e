import { GuardService } from "../../../gen/byond/v1/guard_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { customerPoster, type PostToCustomer } from "../../outgoing/post-to-customer.ts";
import { bindService } from "../../rpc/router.ts";
import type { EventObjects } from "../events/event-messages.ts";
import type { Send } from "../verify/define-send-step.ts";
import type { SendGuard } from "../verify/send-guard.ts";
import type { AddedSendSteps } from "../verify/send-steps.ts";
import { countRefusalStep } from "./count-refusal-step.ts";
import { countSweep } from "./count-sweep.ts";
import { reportSweep } from "./get-report.ts";
import { hookTimeoutMs } from "./guard.policy.ts";
import { guardFieldChecks, guardService } from "./guard.rpc.ts";
import { Guard0001 } from "./guard-0001.migration.ts";
import { Guard0002 } from "./guard-0002.migration.ts";
import { Guard0003 } from "./guard-0003.migration.ts";
import { GuardApprovalEntity } from "./guard-approval.entity.ts";
import { GuardBlockEntity } from "./guard-block.entity.ts";
import { blockSweep } from "./guard-blocks.ts";
import { GuardCountEntity } from "./guard-count.entity.ts";
import { blockEvents, refusalEvents } from "./guard-events.ts";
import { GuardHourEntity } from "./guard-hour.entity.ts";
import { recordRefusal } from "./guard-refusal-event.ts";
import { GuardSettingEntity } from "./guard-setting.entity.ts";
import {
  type GuardMode,
  type GuardServerSettings,
  guardServerSettings,
  modeSql,
  readGuardSettings,
} from "./guard-settings.ts";
import { guardStep } from "./guard-step.ts";
import { HookAsker } from "./hook/ask-hook.ts";
import { hookFailureReporter } from "./hook/report-hook-failure.ts";
import { sealedHooks } from "./hook/sealed-hooks.ts";
import { withVeto } from "./hook/with-veto.ts";
import { SafeListEntryEntity } from "./safe-list-entry.entity.ts";
import { safeListOfRecipients } from "./safe-list-of-recipients.ts";
import { screenSend } from "./screen-send.ts";
import { sealedSafeList } from "./sealed-safe-list.ts";
import { sealedTogether } from "./sealed-together.ts";
import type { StoredRecipients } from "./stored-recipients.ts";
import { WorkspaceGuards } from "./workspace-guards.ts";

interface Needs {
  readonly recipients: StoredRecipients;
  /** Where requests to URLs of customers may go. Known once all capabilities have started. */
  readonly destinations: () => DestinationRules;
}

/**
 * The fraud guard: refuses codes that cost money and verify nobody. A send is judged in three places: by its number and the workspace's settings, which
 * the server knows (`screenSend`); by what only the database knows, in the statement of the send (`guardStep`, and the limits of verify);
 * and what is refused or would be, is an event, which a trigger counts.
 */
export function guardCapability({ recipients, destinations }: Needs) {
  const judging = new Offer<SendGuard>("guard");
  const serverMode = new Offer<GuardMode>("guard");
  const capability: Capability<GuardServerSettings> = {
    name: "guard",
    scopes: ["guard"],
    entities: [
      GuardSettingEntity,
      GuardBlockEntity,
      GuardCountEntity,
      GuardApprovalEntity,
      SafeListEntryEntity,
      GuardHourEntity,
    ],
    migrations: [
      { name: "guard-0001", class: Guard0001 },
      { name: "guard-0002", class: Guard0002 },
      { name: "guard-0003", class: Guard0003 },
    ],
    workspaceTables: {
      safe_list_entry: "id",
      guard_setting: "workspace_id",
      guard_block: "number_range",
      guard_count: "number_range, at",
      guard_approval: "workspace_id",
      guard_hour: "mode, hour, reason, country",
    },
    settings: [guardServerSettings],
    readSettings: readGuardSettings,
    sealed: () => sealedTogether([sealedHooks, sealedSafeList(recipients)]),
    start({ database, keyring, clock, events, logger }, { guardMode }) {
      const guards = new WorkspaceGuards();
      const screen = (send: Send) => screenSend(send, (workspaceId) => guards.get(workspaceId), guardMode);
      let poster: PostToCustomer | undefined;
      const post: PostToCustomer = (question) => {
        poster ??= customerPoster({ rules: destinations(), timeoutMs: hookTimeoutMs });
        return poster(question);
      };
      const onFailure = hookFailureReporter(logger, clock);
      const hooks = new HookAsker({ keyring, clock, post, timeoutMs: hookTimeoutMs, onFailure });
      serverMode.give(guardMode);
      judging.give({
        screen: (send) => withVeto({ database, guards, hooks, screen }, send),
        hasHook: (workspaceId) => guards.get(workspaceId).hook !== undefined,
        refresh: (queryable, workspaceId) => guards.refresh(queryable, workspaceId),
        async record(refused) {
          await recordRefusal({ database }, refused);
          events.committed();
        },
      });
      const service = guardService({ database, keyring, clock, events, recipients, guardMode });
      return {
        services: [
          {
            binding: bindService(GuardService, service),
            fieldChecks: guardFieldChecks(destinations),
            shed: { listGuardBlocks: "second", listSafeListEntries: "second", getGuardReport: "second" },
          },
        ],
        sweeps: [blockSweep({ database }), countSweep({ database }), reportSweep({ database })],
      };
    },
  };
  const guard: SendGuard = {
    screen: (send) => judging.value.screen(send),
    hasHook: (workspaceId) => judging.value.hasHook(workspaceId),
    refresh: (database, workspaceId) => judging.value.refresh(database, workspaceId),
    record: (refused) => judging.value.record(refused),
  };
  const sendSteps = { guard: [guardStep], event: [countRefusalStep] } satisfies AddedSendSteps;
  const events: readonly Offer<EventObjects>[] = [
    offered(refusalEvents),
    offered({ kind: "guard_block", read: async (found) => blockEvents(serverMode.value).read(found) }),
  ];
  const modeOf = (workspaceId: string) => modeSql(serverMode.value)(workspaceId);
  return { ...capability, guard, sendSteps, recipientData: safeListOfRecipients, events, modeOf };
}

function offered(objects: EventObjects): Offer<EventObjects> {
  const offer = new Offer<EventObjects>("guard");
  offer.give(objects);
  return offer;
}
