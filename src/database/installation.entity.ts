import { defineEntity, p } from "@mikro-orm/core";

/** Secrets that belong to the installation and must outlive every master secret. */
export const InstallationEntity = defineEntity({
  name: "Installation",
  tableName: "installation",
  properties: {
    name: p.text().primary(),
    value: p.blob(),
  },
});
