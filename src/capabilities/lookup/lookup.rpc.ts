import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  BatchLookupRequestSchema,
  LookupField as LookupFieldMessage,
  type LookupNumberRequest,
  LookupNumberRequestSchema,
  type LookupService,
  StreamLookupRequestSchema,
} from "../../../gen/byond/v1/lookup_pb.ts";
import { withAnswer } from "../../access/abort-on-revocation.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller, type KeyCaller, keyCaller } from "../../access/caller.ts";
import { outlastClient } from "../../database/call-deadline.ts";
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
import type { FoundLookup } from "./history/stored-lookup.ts";
import type { LiveSource, NetworkState } from "./live-source.ts";
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

/** The answer of a call, and what is charged, counted and kept of it once it is certain to be given. */
interface Found<T> {
  readonly answer: T;
  readonly answered: AnsweredNumbers;
  /** For the history. */
  readonly lookups: readonly FoundLookup[];
}

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
      if (charges !== undefined || request.fields.length > 0) {
        return answered(context, 1, () => more(request, context));
      }
      const result = lookupNumber(toLookupInput(request));
      return withAnswer(context, () => {
        const caller = keyCaller(context);
        history.note(caller, { result });
        noteUsage(caller, result.countryCode ?? "", 1);
        return toLookupResponse(result);
      });
    },

    async batchLookup({ numbers: items, country, fields }, context) {
      await chargeBatch(deps, context, items.length);
      return answered(context, items.length, async () => {
        const tally = new LookupTally();
        const byCountry = new AnsweredByCountry();
        const lookups: FoundLookup[] = [];
        const { results, add } = toBatchResults();
        await lookUpBatch(
          deps,
          {
            workspaceId: keyCaller(context).workspaceId,
            items,
            country: toRegion(country),
            fields: toLookupFields(fields),
            signal: context.signal,
          },
          (found, item) => {
            tally.add(found.result, found.duplicateOf !== undefined);
            byCountry.add(found.result);
            add(found, item);
            if (found.result.kind === "lookup") {
              lookups.push({ result: found.result.lookup, reference: item.reference });
            }
          },
        );
        return { answer: { results, summary: tally.summary }, answered: byCountry.counts, lookups };
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
      const { workspaceId } = keyCaller(context);
      using _place = places.enter(workspaceId);
      const tally = new LookupTally();
      const recent = new RecentNumbers(rememberedByStream);
      let isFirst = true;
      for await (const { numbers: items, country, fields } of requests) {
        await chargeWhenPossible(deps, context, { numbers: items.length, isPaidInPart: isFirst });
        isFirst = false;
        yield await answered(context, items.length, async () => {
          const { results, add } = toBatchResults();
          const input = { workspaceId, items, country: toRegion(country), signal: context.signal };
          const byCountry = new AnsweredByCountry();
          await lookUpBatch(deps, { ...input, fields: toLookupFields(fields) }, (found, item) => {
            const e164 = found.result.kind === "lookup" ? found.result.lookup.e164 : null;
            tally.add(found.result, e164 !== null && recent.note(e164));
            byCountry.add(found.result);
            add(found, item);
          });
          return { answer: { results, summary: tally.summary }, answered: byCountry.counts, lookups: [] };
        });
      }
    },
  };

  /** Looks numbers up, and charges, counts and keeps them if the call is answered. */
  async function answered<T>(context: HandlerContext, numbers: number, work: () => Promise<Found<T>>): Promise<T> {
    // The sandbox costs nothing.
    const isCharged = charges !== undefined && keyCaller(context).mode === "live";
    const found = isCharged ? await charges.charged(context, numbers, work) : await work();
    return withAnswer(context, () => {
      const caller = keyCaller(context);
      if (!isCharged) {
        found.answered.forEach((number, country) => void noteUsage(caller, country, number));
      }
      for (const lookup of found.lookups) {
        history.note(caller, lookup);
      }
      return found.answer;
    });
  }

  function noteUsage({ workspaceId, mode, keyId }: KeyCaller, country: string, number: number): void {
    usage.note({ workspaceId, mode, keyId, country }, number);
  }

  async function more(
    request: LookupNumberRequest,
    context: HandlerContext,
  ): Promise<Found<ReturnType<typeof toLookupResponse>>> {
    const describe = await describeFields(toLookupFields(request.fields), tables);
    const result = lookupNumber(toLookupInput(request), describe);
    let state: NetworkState | undefined;
    if (
      liveSource !== undefined &&
      request.fields.includes(LookupFieldMessage.NETWORK) &&
      result.valid &&
      result.e164 !== null &&
      keyCaller(context).mode === "live"
    ) {
      // The adapter is not asked for a call that was refused meanwhile, or whose client left.
      context.signal.throwIfAborted();
      // Asking costs the operator money: from now on the client is charged, whether it waits or not.
      outlastClient();
      state = await liveSource.find(result.e164);
    }
    return {
      answer: toLookupResponse(result, state),
      answered: new Map([[result.countryCode ?? "", 1]]),
      lookups: [{ result, state }],
    };
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
