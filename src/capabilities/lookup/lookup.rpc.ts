import type { ServiceImpl } from "@connectrpc/connect";
import {
  BatchLookupRequestSchema,
  LookupField as LookupFieldMessage,
  type LookupNumberRequest,
  LookupNumberRequestSchema,
  type LookupService,
  StreamLookupRequestSchema,
} from "../../../gen/byond/v1/lookup_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller, type KeyCaller, keyCaller } from "../../access/caller.ts";
import type { StreamPlaces } from "../../rpc/stream-places.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import type { UsageCounter } from "../../usage/usage-counter.ts";
import { toBatchResults } from "./batch/batch-proto.ts";
import { type ChargeDependencies, chargeBatch, chargeWhenPossible } from "./batch/charge-batch.ts";
import { type LookupBatchDependencies, lookUpBatch } from "./batch/lookup-batch.ts";
import type { ItemResult } from "./batch/lookup-item.ts";
import { LookupTally } from "./batch/lookup-tally.ts";
import { RecentNumbers } from "./batch/recent-numbers.ts";
import { getLookup } from "./history/get-lookup.ts";
import { pageSize } from "./history/history.policy.ts";
import { type ListLookupsDependencies, listLookups } from "./history/list-lookups.ts";
import type { LookupRecorder } from "./history/lookup-recorder.ts";
import { lookupMessage } from "./history/lookup-view.ts";
import type { LiveSource } from "./live-source.ts";
import type { AnsweredNumbers, LookupCharges } from "./lookup-charges.ts";
import { lookupNumber, parseRegion } from "./lookup-number.ts";
import { toLookupFields, toLookupInput, toLookupResponse, toRegion } from "./lookup-proto.ts";
import { describeFields } from "./number-details.ts";

export interface LookupServiceDependencies
  extends ChargeDependencies,
    LookupBatchDependencies,
    ListLookupsDependencies {
  readonly history: Pick<LookupRecorder, "note">;
  /** Undefined: the operator has none. */
  readonly liveSource: Pick<LiveSource, "find"> | undefined;
  /** Undefined: lookups cost nothing. */
  readonly charges: LookupCharges | undefined;
  /** Counts lookups that are not charged. */
  readonly usage: Pick<UsageCounter, "note">;
  /** Of the streams of lookups. */
  readonly places: StreamPlaces;
}

/** How many numbers a stream remembers at least, to tell duplicates. */
const rememberedByStream = 100_000;

/** Counts the numbers of a list that are answered: neither those that cannot be looked up, nor what was not reached. */
class AnsweredByCountry {
  readonly counts = new Map<string, number>();

  add(result: ItemResult): void {
    if (result.kind === "lookup") {
      const country = result.lookup.countryCode ?? "";
      this.counts.set(country, (this.counts.get(country) ?? 0) + 1);
    }
  }
}

/** Translates between the messages of LookupService and its operations. */
export function lookupService(deps: LookupServiceDependencies): ServiceImpl<typeof LookupService> {
  const { tables, liveSource, places, history, charges, usage } = deps;
  return {
    lookupNumber(request, context) {
      // At once, since nothing has to be read: most calls ask for nothing more.
      const caller = keyCaller(context);
      if (charges !== undefined || request.fields.length > 0) {
        return charged(caller, 1, async () => {
          const value = await more(request, caller);
          return { value, answered: new Map([[value.countryCode ?? "", 1]]) };
        });
      }
      const result = lookupNumber(toLookupInput(request));
      history.note(caller, { result });
      noteUsage(caller, result.countryCode ?? "", 1);
      return toLookupResponse(result);
    },

    async batchLookup({ numbers: items, country, fields }, context) {
      await chargeBatch(deps, context, items.length);
      const caller = keyCaller(context);
      return charged(caller, items.length, async () => {
        const tally = new LookupTally();
        const answered = new AnsweredByCountry();
        const { results, add } = toBatchResults();
        await lookUpBatch(
          deps,
          {
            workspaceId: caller.workspaceId,
            items,
            country: toRegion(country),
            fields: toLookupFields(fields),
            signal: context.signal,
          },
          (found, item) => {
            tally.add(found.result, found.duplicateOf !== undefined);
            answered.add(found.result);
            add(found, item);
            if (found.result.kind === "lookup") {
              history.note(caller, { result: found.result.lookup, reference: item.reference });
            }
          },
        );
        return { value: { results, summary: tally.summary }, answered: answered.counts };
      });
    },

    async listLookups({ number, createdAfter, createdBefore, ...page }, context) {
      const { lookups, nextPageToken } = await listLookups(deps, {
        workspaceId: anyCaller(context).workspaceId,
        mode: callMode(context),
        number,
        createdAfter: createdAfter && timestampToDate(createdAfter),
        createdBefore: createdBefore && timestampToDate(createdBefore),
        pageSize: page.pageSize ?? pageSize.default,
        pageToken: page.pageToken,
      });
      return { lookups: lookups.map(lookupMessage), ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },

    async getLookup({ lookupId: id }, context) {
      const { workspaceId } = anyCaller(context);
      return { lookup: lookupMessage(await getLookup(deps, { workspaceId, mode: callMode(context), id })) };
    },

    async *streamLookup(requests, context) {
      const caller = keyCaller(context);
      const { workspaceId } = caller;
      using _place = places.enter(workspaceId);
      const tally = new LookupTally();
      const recent = new RecentNumbers(rememberedByStream);
      let isFirst = true;
      for await (const { numbers: items, country, fields } of requests) {
        await chargeWhenPossible(deps, context, { numbers: items.length, isPaidInPart: isFirst });
        isFirst = false;
        yield await charged(caller, items.length, async () => {
          const { results, add } = toBatchResults();
          const input = { workspaceId, items, country: toRegion(country), signal: context.signal };
          const answered = new AnsweredByCountry();
          await lookUpBatch(deps, { ...input, fields: toLookupFields(fields) }, (found, item) => {
            const e164 = found.result.kind === "lookup" ? found.result.lookup.e164 : null;
            tally.add(found.result, e164 !== null && recent.note(e164));
            answered.add(found.result);
            add(found, item);
          });
          return { value: { results, summary: tally.summary }, answered: answered.counts };
        });
      }
    },
  };

  async function charged<T>(
    caller: KeyCaller,
    numbers: number,
    work: () => Promise<{ readonly value: T; readonly answered: AnsweredNumbers }>,
  ): Promise<T> {
    // The sandbox costs nothing.
    if (charges !== undefined && caller.mode === "live") {
      return charges.charged(caller, numbers, work);
    }
    const { value, answered } = await work();
    answered.forEach((number, country) => void noteUsage(caller, country, number));
    return value;
  }

  function noteUsage({ workspaceId, mode, keyId }: KeyCaller, country: string, number: number): void {
    usage.note({ workspaceId, mode, keyId, country }, number);
  }

  async function more(request: LookupNumberRequest, caller: KeyCaller) {
    const describe = await describeFields(toLookupFields(request.fields), tables);
    const result = lookupNumber(toLookupInput(request), describe);
    const asksNetwork = request.fields.includes(LookupFieldMessage.NETWORK);
    const state =
      asksNetwork && result.valid && result.e164 !== null && caller.mode === "live"
        ? await liveSource?.find(result.e164)
        : undefined;
    history.note(caller, { result, state });
    return toLookupResponse(result, state);
  }
}

const knownCountry = ({ country }: { readonly country?: string | undefined }): Readonly<Record<string, string>> =>
  country === undefined || parseRegion(country) !== undefined
    ? {}
    : { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" };

/** Rules of the requests that the schema cannot express. */
export const lookupFieldChecks: readonly FieldCheck[] = [
  fieldCheck(LookupNumberRequestSchema, knownCountry),
  fieldCheck(BatchLookupRequestSchema, knownCountry),
  fieldCheck(StreamLookupRequestSchema, knownCountry),
];
