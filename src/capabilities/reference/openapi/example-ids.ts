/**
 * The ids of the examples, in the form and the length of real ones: the first eight letters are the time of creation (decision 38). One story
 * goes through the whole reference: an account of 1 June 2026 makes an endpoint for webhooks and a key on the morning of the 15th,
 * starts a verification at 9:37, and has it approved 48 seconds later.
 */
export const exampleIds = {
  user: "usr_0VLHEjH4kRs5mWcYd1e2bT",
  workspace: "ws_0VLHEjH4QpA3uJt0yXgHk6",
  key: "key_0VMbSkAz7b2a6e0h8jQx9L",
  otherKey: "key_0VM7vEgI1f3d9a2c4eZm5T",
  webhook: "whk_0VMb65JoHc2NfWq9YdLr0X",
  verification: "vrf_0VMbUVQz3kZ9c1d4f7b21b",
  fixedCode: "fix_0VMbSzQk4nXr8TmWc2YdLe",
  guessing: "gue_0VMbUwQz7Xr8TmWc2YdLe4",
  reset: "vrf_0VMbVGBXrTyUzKe9pLwQ2s",
  /** The message with the code, and a second one. */
  message: "dlv_0VMbUVQzGmYq8sTz4KdXe2",
  resentMessage: "dlv_0VMbUhzIpLwQ2sXcV6bNm1",
  suppression: "sup_0VMbUVe1rXw8RkQz1VbTn4",
  guardBlock: "gbl_0VMbUVe1rXw8RkQz1VbTn5",
  safeListEntry: "gsl_0VMbUVe1rXw8RkQz1VbTn6",
  guardRefusal: "grf_0VMbUVe1rXw8RkQz1VbTn7",
  lookup: "lkp_0VMbUVe2kT9sVt0Lc4nYpD",
  started: "evt_0VMbUVQz4mXw8RkQz1VbTn",
  approved: "evt_0VMbUhzI6YcLs0Hd2RvNb7",
  /** The request to an endpoint, and the one that repeats it. */
  webhookDelivery: "dlv_0VMbUhzI0pGmYq8sTz4KdX",
  redelivery: "dlv_0VMbVGBX4KdXe2RvNb7a0p",
  request: "req_0VMbUVQz5Vq0cT2nX8mJr4",
} as const;

/** Keys as long as real ones. They do not pass for real: the last nine letters of a key are computed. */
export const exampleKeys = {
  prefix: "pk_live_8fa2b7c91d04",
  key: "pk_live_8fa2b7c91d04.s3cr3t9c1d4f7b2a6e0h8jQx91LmZ4tRc5Vq0cT2nX",
  rotatedPrefix: "pk_live_5d9e1a6c30f7",
  rotatedKey: "pk_live_5d9e1a6c30f7.s3cr3t2n0T5cRt4ZmL19xQj8h0e6a2b7f4d1c9Vq0c",
  otherPrefix: "pk_live_2c4e8b1f6a93",
} as const;
