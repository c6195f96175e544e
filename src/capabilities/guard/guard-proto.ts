import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type GuardBlockSchema,
  GuardHook_OnFailure,
  GuardMode as GuardModeEnum,
  GuardReason as GuardReasonEnum,
  type GuardSettingsSchema,
  type SafeListEntrySchema,
} from "../../../gen/byond/v1/guard_pb.ts";
import type { GuardReason } from "../../errors.ts";
import type { GuardView } from "./get-guard.ts";
import type { GuardBlockView } from "./guard-blocks.ts";
import type { GuardMode } from "./guard-settings.ts";
import type { HookFailure } from "./hook/guard-hook.ts";
import type { SafeListEntryView } from "./safe-list.ts";

const modeEnums = {
  enforce: GuardModeEnum.ENFORCE,
  shadow: GuardModeEnum.SHADOW,
  off: GuardModeEnum.OFF,
} as const satisfies Record<GuardMode, GuardModeEnum>;

const modes = new Map<GuardModeEnum, GuardMode>([
  [GuardModeEnum.ENFORCE, "enforce"],
  [GuardModeEnum.SHADOW, "shadow"],
  [GuardModeEnum.OFF, "off"],
]);

/** The mode of an enum value in a message that passed validation. */
export function guardModeOf(value: GuardModeEnum): GuardMode {
  const mode = modes.get(value);
  if (mode === undefined) {
    throw new TypeError(`the mode ${value} passed validation`);
  }
  return mode;
}

export const reasonEnums = {
  premium_rate: GuardReasonEnum.PREMIUM_RATE,
  shared_cost: GuardReasonEnum.SHARED_COST,
  invalid_number: GuardReasonEnum.INVALID_NUMBER,
  country_not_allowed: GuardReasonEnum.COUNTRY_NOT_ALLOWED,
  range_blocked: GuardReasonEnum.RANGE_BLOCKED,
  vetoed: GuardReasonEnum.VETOED,
  country_limit: GuardReasonEnum.COUNTRY_LIMIT,
  range_limit: GuardReasonEnum.RANGE_LIMIT,
} as const satisfies Record<GuardReason, GuardReasonEnum>;

const failureEnums = {
  allow: GuardHook_OnFailure.ALLOW,
  refuse: GuardHook_OnFailure.REFUSE,
} as const satisfies Record<HookFailure, GuardHook_OnFailure>;

/** What a change of the hook says of failures. */
export function hookFailureOf(value: GuardHook_OnFailure | undefined): HookFailure {
  return value === GuardHook_OnFailure.REFUSE ? "refuse" : "allow";
}

/** `hookSecret`: of a hook that was just given one. */
export function guardMessage(
  guard: GuardView & { readonly hookSecret?: string | undefined },
): MessageInitShape<typeof GuardSettingsSchema> {
  const { hook, hookSecret, mode, allowedCountries, blockedCountries, sendsPerHourPerCountry, sendsPerHourPerRange } =
    guard;
  return {
    guardMode: modeEnums[mode],
    allowedCountries: [...allowedCountries],
    blockedCountries: [...blockedCountries],
    ...(sendsPerHourPerCountry === null ? {} : { sendsPerHourPerCountry }),
    ...(sendsPerHourPerRange === null ? {} : { sendsPerHourPerRange }),
    refuseInvalidNumbers: guard.refuseInvalidNumbers,
    ...(hook && {
      hook: {
        url: hook.url,
        onFailure: failureEnums[hook.onFailure],
        ...(hookSecret === undefined ? {} : { secret: hookSecret }),
      },
    }),
  };
}

export function blockMessage(
  serverMode: GuardMode,
  { startsAt, endsAt, mode, ...block }: GuardBlockView,
): MessageInitShape<typeof GuardBlockSchema> {
  const enforced = (mode ?? serverMode) === "enforce";
  return { ...block, enforced, startsAt: timestampFromDate(startsAt), endsAt: timestampFromDate(endsAt) };
}

export function entryMessage(entry: SafeListEntryView): MessageInitShape<typeof SafeListEntrySchema> {
  const { id, recipient, numberRange, createdAt } = entry;
  return {
    id,
    ...(recipient === null ? {} : { recipient }),
    ...(numberRange === null ? {} : { numberRange }),
    createdAt: timestampFromDate(createdAt),
  };
}
