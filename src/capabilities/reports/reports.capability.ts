import { ReportService } from "../../../gen/byond/v1/report_pb.ts";
import type { Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import type { UsageDependencies } from "./get-usage.ts";
import type { Amounts } from "./get-verification-report.ts";
import { reportService } from "./report.rpc.ts";
import { type ReportSettings, readReportSettings, reportSettings } from "./report-settings.ts";
import { refundSweep, reportSweeps } from "./report-sweeps.ts";
import { Reports0001 } from "./reports-0001.migration.ts";
import { Reports0002 } from "./reports-0002.migration.ts";
import { Reports0003 } from "./reports-0003.migration.ts";
import { RequestCounter } from "./request-counter.ts";
import { RequestHourEntity } from "./request-hour.entity.ts";
import { VerificationHourEntity } from "./verification-hour.entity.ts";
import { VerificationRefundEntity } from "./verification-refund.entity.ts";
import { reportFieldChecks } from "./verification-report-proto.ts";
import { VerificationSlotEntity } from "./verification-slot.entity.ts";

interface Needs extends Pick<UsageDependencies, "countUsage"> {
  /** What this server's amounts are. Undefined: it has no prices. */
  readonly charges: Offer<{ readonly amounts: Amounts | undefined }>;
}

/** Reports: what became of verifications, and how requests were answered. It reads numbers that are kept as things happen. */
export function reportsCapability({ countUsage, charges }: Needs): Capability<ReportSettings> {
  return {
    name: "reports",
    entities: [VerificationHourEntity, VerificationSlotEntity, VerificationRefundEntity, RequestHourEntity],
    migrations: [
      { name: "reports-0001", class: Reports0001 },
      { name: "reports-0002", class: Reports0002 },
      { name: "reports-0003", class: Reports0003 },
    ],
    workspaceTables: {
      verification_hour: "mode, hour, channel",
      verification_slot: "mode, minutes, slot, channel, country, provider, key_id",
      verification_refund: "message_id",
      request_hour: "mode, hour, code",
    },
    settings: [reportSettings],
    readSettings: readReportSettings,
    start({ database, clock, logger }, { reportRetentionDays }) {
      const requests = new RequestCounter({ database, logger });
      return {
        services: [
          {
            binding: bindService(
              ReportService,
              reportService({ database, clock, countUsage, amounts: charges.value.amounts }),
            ),
            fieldChecks: reportFieldChecks(() => clock.now()),
            shed: { getVerificationReport: "second" },
          },
        ],
        onKeyAnswered: ({ workspaceId, mode }, errorCode) => requests.note(workspaceId, mode, errorCode),
        sweeps: [...reportSweeps({ database }, reportRetentionDays), refundSweep({ database })],
        close: () => requests.stop(),
      };
    },
  };
}
