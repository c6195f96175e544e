import type { MigrationObject } from "@mikro-orm/core";
import { Initial } from "./0001-initial.ts";
import { Revocation } from "./0002-revocation.ts";
import { Delivery } from "./0003-delivery.ts";
import { LimitsAndIdempotency } from "./0004-limits-and-idempotency.ts";
import { AccountsAndKeys } from "./0005-accounts-and-keys.ts";
import { Effects } from "./0006-effects.ts";
import { Signatures } from "./0007-signatures.ts";
import { RecipientsAndLimits } from "./0008-recipients-and-limits.ts";
import { PasswordsAndSessions } from "./0009-passwords-and-sessions.ts";
import { TimesOfKeys } from "./0010-times-of-keys.ts";
import { AccountAddresses } from "./0011-account-addresses.ts";
import { TimeOfPassword } from "./0012-time-of-password.ts";
import { SecretsOfServers } from "./0013-secrets-of-servers.ts";
import { Sweeps } from "./0014-sweeps.ts";
import { Erasure } from "./0015-erasure.ts";
import { IndexesOfLists } from "./0016-indexes-of-lists.ts";
import { OwnerOfTheDemoWorkspace } from "./0017-owner-of-the-demo-workspace.ts";
import { RealmsOfUsers } from "./0018-realms-of-users.ts";

/** Every migration, oldest first. One that was released is never changed. */
export const migrations: readonly MigrationObject[] = [
  { name: "0001-initial", class: Initial },
  { name: "0002-revocation", class: Revocation },
  { name: "0003-delivery", class: Delivery },
  { name: "0004-limits-and-idempotency", class: LimitsAndIdempotency },
  { name: "0005-accounts-and-keys", class: AccountsAndKeys },
  { name: "0006-effects", class: Effects },
  { name: "0007-signatures", class: Signatures },
  { name: "0008-recipients-and-limits", class: RecipientsAndLimits },
  { name: "0009-passwords-and-sessions", class: PasswordsAndSessions },
  { name: "0010-times-of-keys", class: TimesOfKeys },
  { name: "0011-account-addresses", class: AccountAddresses },
  { name: "0012-time-of-password", class: TimeOfPassword },
  { name: "0013-secrets-of-servers", class: SecretsOfServers },
  { name: "0014-sweeps", class: Sweeps },
  { name: "0015-erasure", class: Erasure },
  { name: "0016-indexes-of-lists", class: IndexesOfLists },
  { name: "0017-owner-of-the-demo-workspace", class: OwnerOfTheDemoWorkspace },
  { name: "0018-realms-of-users", class: RealmsOfUsers },
];
