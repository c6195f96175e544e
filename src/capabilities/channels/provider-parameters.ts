/** The parameters of every DSN of a provider. */
export const commonParameters = ["name", "concurrency"] as const;
