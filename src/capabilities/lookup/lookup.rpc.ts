import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  BatchLookupRequestSchema,
  LookupField as LookupFieldMessage,
  type LookupNumberRequest,
  LookupNumberRequestSchema,
  type LookupService,
  StreamLookupRequestSchema,
} from "../../../gen/byond/v1/lookup_pb.ts";
import { anyCaller, keyCaller } from "../../access/caller.ts";
import type { StreamPlaces } from "../../rpc/stream-places.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { toBatchResults } from "./batch/batch-proto.ts";
import { type ChargeDependencies, chargeBatch, chargeWhenPossible } from "./batch/charge-batch.ts";
import { type LookupBatchDependencies, lookUpBatch } from "./batch/lookup-batch.ts";
import { LookupTally } from "./batch/lookup-tally.ts";
import { RecentNumbers } from "./batch/recent-numbers.ts";
import type { LiveSource } from "./live-source.ts";
import { lookupNumber, parseRegion } from "./lookup-number.ts";
import { toLookupFields, toLookupInput, toLookupResponse, toRegion } from "./lookup-proto.ts";
import { describeFields } from "./number-details.ts";

export interface LookupServiceDependencies extends ChargeDependencies, LookupBatchDependencies {
  /** Undefined: the operator has none. */
  readonly liveSource: Pick<LiveSource, "find"> | undefined;
  /** Of the streams of lookups. */
  readonly places: StreamPlaces;
}

/** How many numbers a stream remembers at least, to tell duplicates. */
const rememberedByStream = 100_000;

/** Translates between the messages of LookupService and its operations. */
export function lookupService(deps: LookupServiceDependencies): ServiceImpl<typeof LookupService> {
  const { tables, liveSource, places } = deps;
  return {
    lookupNumber(request, context) {
      // At once, since nothing has to be read: most calls ask for nothing more.
      return request.fields.length === 0
        ? toLookupResponse(lookupNumber(toLookupInput(request)))
        : more(request, context);
    },

    async batchLookup({ numbers: items, country, fields }, context) {
      await chargeBatch(deps, context, items.length);
      const tally = new LookupTally();
      const { results, add } = toBatchResults();
      await lookUpBatch(
        deps,
        {
          workspaceId: anyCaller(context).workspaceId,
          items,
          country: toRegion(country),
          fields: toLookupFields(fields),
          signal: context.signal,
        },
        (found, item) => {
          tally.add(found.result, found.duplicateOf !== undefined);
          add(found, item);
        },
      );
      return { results, summary: tally.summary };
    },

    async *streamLookup(requests, context) {
      const { workspaceId } = anyCaller(context);
      using _place = places.enter(workspaceId);
      const tally = new LookupTally();
      const recent = new RecentNumbers(rememberedByStream);
      let isFirst = true;
      for await (const { numbers: items, country, fields } of requests) {
        await chargeWhenPossible(deps, context, { numbers: items.length, isPaidInPart: isFirst });
        isFirst = false;
        const { results, add } = toBatchResults();
        const input = { workspaceId, items, country: toRegion(country), signal: context.signal };
        await lookUpBatch(deps, { ...input, fields: toLookupFields(fields) }, (found, item) => {
          const e164 = found.result.kind === "lookup" ? found.result.lookup.e164 : null;
          tally.add(found.result, e164 !== null && recent.note(e164));
          add(found, item);
        });
        yield { results, summary: tally.summary };
      }
    },
  };

  async function more(request: LookupNumberRequest, context: HandlerContext) {
    const describe = await describeFields(toLookupFields(request.fields), tables);
    const result = lookupNumber(toLookupInput(request), describe);
    const asksNetwork = request.fields.includes(LookupFieldMessage.NETWORK);
    const state =
      asksNetwork && result.valid && result.e164 !== null && keyCaller(context).mode === "live"
        ? await liveSource?.find(result.e164)
        : undefined;
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
