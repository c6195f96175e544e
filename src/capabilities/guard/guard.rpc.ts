import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  AddSafeListEntryRequestSchema,
  AddSafeListEntryResponseSchema,
  type GuardService,
  UpdateGuardRequestSchema,
} from "../../../gen/byond/v1/guard_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller, credentialOf } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
import type { EventLog } from "../../events/event-log.ts";
import { storeAnswer } from "../../idempotency/idempotency-claim.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { int32, periodOf } from "../../rpc/report-period.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { getGuard } from "./get-guard.ts";
import { getReport } from "./get-report.ts";
import { deleteBlock, listBlocks } from "./guard-blocks.ts";
import { blockMessage, entryMessage, guardMessage, guardModeOf, hookFailureOf, reasonEnums } from "./guard-proto.ts";
import type { GuardMode } from "./guard-settings.ts";
import {
  type AddDependencies,
  addSafeListEntry,
  deleteSafeListEntry,
  listSafeList,
  type SafeListEntryView,
  safeProblem,
} from "./safe-list.ts";
import { changesOf, guardChangesProblems, updateGuard } from "./update-guard.ts";

interface GuardServiceDependencies extends AddDependencies {
  readonly database: Database;
  readonly clock: Pick<Clock, "now">;
  readonly events: Pick<EventLog, "committed">;
  readonly guardMode: GuardMode;
}

/** GuardService: translates messages to operations and back. */
export function guardService(deps: GuardServiceDependencies): ServiceImpl<typeof GuardService> {
  return {
    async getGuard(_, context) {
      return { guard: guardMessage(await getGuard(deps, anyCaller(context))) };
    },

    async updateGuard(request, context) {
      const changes = changesOf(request);
      const caller = anyCaller(context);
      const guard = await updateGuard(
        deps,
        caller,
        {
          ...(changes.guardMode === undefined ? {} : { mode: guardModeOf(changes.guardMode) }),
          ...(changes.allowedCountries && { allowedCountries: changes.allowedCountries.countries }),
          ...(changes.blockedCountries && { blockedCountries: changes.blockedCountries.countries }),
          ...(changes.sendsPerHourPerCountry === undefined
            ? {}
            : { sendsPerHourPerCountry: changes.sendsPerHourPerCountry }),
          ...(changes.sendsPerHourPerRange === undefined ? {} : { sendsPerHourPerRange: changes.sendsPerHourPerRange }),
          ...(changes.hook && {
            hook: { url: changes.hook.url ?? "", onFailure: hookFailureOf(changes.hook.onFailure) },
          }),
          ...(changes.refuseInvalidNumbers === undefined ? {} : { refuseInvalidNumbers: changes.refuseInvalidNumbers }),
        },
        credentialOf(caller),
      );
      return { guard: guardMessage(guard) };
    },

    async listGuardBlocks(_, context) {
      const blocks = await listBlocks(deps, anyCaller(context));
      return { blocks: blocks.map((block) => blockMessage(deps.guardMode, block)) };
    },

    async deleteGuardBlock({ id }, context) {
      const caller = anyCaller(context);
      await deleteBlock(deps, { workspaceId: caller.workspaceId, id }, credentialOf(caller));
      deps.events.committed();
      return { id, deleted: true };
    },

    async listSafeListEntries(_, context) {
      return { entries: (await listSafeList(deps, realmOf(context))).map(entryMessage) };
    },

    async addSafeListEntry({ number }, context) {
      const store = storeAnswer(context, AddSafeListEntryResponseSchema, addedMessage);
      const credential = credentialOf(anyCaller(context));
      return addedMessage(await addSafeListEntry(deps, realmOf(context), number, credential, store));
    },

    async deleteSafeListEntry({ id }, context) {
      await deleteSafeListEntry(deps, { ...realmOf(context), id }, credentialOf(anyCaller(context)));
      return { id, deleted: true };
    },

    async getGuardReport(request, context) {
      const report = await getReport(deps, { ...realmOf(context), period: periodOf(request.period) });
      return {
        periodStart: timestampFromDate(report.periodStart),
        periodEnd: timestampFromDate(report.periodEnd),
        refused: int32(report.refused),
        wouldRefuse: int32(report.wouldRefuse),
        reasons: report.reasons.map(({ reason, refused, wouldRefuse }) => ({
          reason: reasonEnums[reason],
          refused: int32(refused),
          wouldRefuse: int32(wouldRefuse),
        })),
        countries: report.countries.map(({ country, refused, wouldRefuse }) => ({
          ...(country === "" ? {} : { country }),
          refused: int32(refused),
          wouldRefuse: int32(wouldRefuse),
        })),
      };
    },
  };
}

function addedMessage(entry: SafeListEntryView) {
  return { entry: entryMessage(entry) };
}

function realmOf(context: HandlerContext) {
  return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context) };
}

/** The rules of the requests that the schema cannot express. */
export function guardFieldChecks(destinations: () => DestinationRules): readonly FieldCheck[] {
  return [
    fieldCheck(UpdateGuardRequestSchema, (request) => guardChangesProblems(request, destinations())),
    fieldCheck(AddSafeListEntryRequestSchema, ({ number }) =>
      number === "" ? {} : problemOf("number", safeProblem(number)),
    ),
  ];
}
