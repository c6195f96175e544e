import { expect, test } from "vitest";
import { AppliedRevocations, type Revocation } from "../../src/revocation/applied-revocations.ts";
import { Lease, type LeaseStore } from "../../src/revocation/lease.ts";

const leaseMs = 2_000;

/** A lease on a database that the test plays. What is not played answers that all is well. */
function createLease(played: Partial<LeaseStore> = {}) {
  const time = { monotonicMs: 1_000, wallMs: 1e12 };
  const calls: string[] = [];
  const revocations: Revocation[] = [];
  const store: LeaseStore = {
    register: async () => 0,
    renew: async () => true,
    revocationsAfter: async (sequence) => revocations.filter((revocation) => revocation.sequence > sequence),
    remove: async () => undefined,
    ...played,
  };
  const applied = new AppliedRevocations();
  let names = 0;
  const lease = new Lease({
    applied,
    leaseMs,
    clock: { monotonicMs: () => time.monotonicMs, now: () => new Date(time.wallMs) },
    createRegistrationId: () => {
      names += 1;
      return `name ${names}`;
    },
    store: {
      register(id, ms, earlier) {
        calls.push(`register ${id}${earlier.length > 0 ? ` for ${earlier.join(", ")}` : ""}`);
        return store.register(id, ms, earlier);
      },
      renew(id, sequence) {
        calls.push(`renew ${id} at ${sequence}`);
        return store.renew(id, sequence);
      },
      revocationsAfter(sequence) {
        calls.push(`read after ${sequence}`);
        return store.revocationsAfter(sequence);
      },
      remove(ids) {
        calls.push(`remove ${ids.join(", ")}`);
        return store.remove(ids);
      },
    },
  });
  return { lease, applied, time, revocations, calls: () => calls.splice(0) };
}

test("a renewal updates the own row first, then reads, and then acknowledges what it has applied", async () => {
  const { lease, revocations, calls } = createLease();
  expect(lease.isValid()).toBe(false);
  await lease.renew();
  expect(lease.isValid()).toBe(true);
  expect(calls()).toEqual(["register name 1", "read after 0"]);
  revocations.push({ sequence: 3, subject: "key:a" });
  await lease.renew();
  expect(calls()).toEqual(["renew name 1 at 0", "read after 0", "renew name 1 at 3", "read after 3"]);
});

test("a notification makes the server read, and what was read is acknowledged", async () => {
  const { lease, revocations, calls } = createLease();
  await lease.renew();
  calls();
  await lease.catchUp();
  expect(calls()).toEqual(["read after 0"]);
  revocations.push({ sequence: 3, subject: "key:a" });
  await lease.catchUp();
  expect(calls()).toEqual(["read after 0", "renew name 1 at 3", "read after 3"]);
});

test("notifications during a read cause one more read, because the first may have been too early", async () => {
  const slow = Promise.withResolvers<readonly Revocation[]>();
  let reads = 0;
  const { lease, calls } = createLease({
    revocationsAfter: async () => {
      reads += 1;
      return reads === 2 ? slow.promise : [];
    },
  });
  await lease.renew();
  calls();
  const all = [lease.catchUp()];
  await expect.poll(() => reads, { timeout: 10_000 }).toBe(2);
  all.push(lease.catchUp(), lease.catchUp(), lease.renew());
  slow.resolve([]);
  await Promise.all(all);
  expect(calls()).toEqual(["read after 0", "renew name 1 at 0", "read after 0"]);
});

test.each([
  { clock: "monotonic", monotonicMs: leaseMs, wallMs: 0 },
  { clock: "wall", monotonicMs: 0, wallMs: leaseMs },
])("it is over when the $clock clock says so, counted from before the update was sent", async (jump) => {
  const { lease, time } = createLease({
    renew: async () => {
      time.monotonicMs += 500;
      time.wallMs += 500;
      return true;
    },
  });
  await lease.renew();
  await lease.renew();
  time.monotonicMs += Math.max(0, jump.monotonicMs - 501);
  time.wallMs += Math.max(0, jump.wallMs - 501);
  expect(lease.isValid()).toBe(true);
  time.monotonicMs += jump.monotonicMs > 0 ? 1 : 0;
  time.wallMs += jump.wallMs > 0 ? 1 : 0;
  expect(lease.isValid()).toBe(false);
});

test("a failed renewal leaves the lease as it was, and the next one is an ordinary renewal", async () => {
  let fails = false;
  const { lease, calls } = createLease({
    renew: async () => {
      if (fails) {
        throw new Error("the connection was lost");
      }
      return true;
    },
  });
  await lease.renew();
  fails = true;
  await expect(lease.renew()).rejects.toThrow("the connection was lost");
  expect(lease.isValid()).toBe(true);
  fails = false;
  calls();
  await lease.renew();
  expect(calls()).toEqual(["renew name 1 at 0", "read after 0"]);
});

test("a registration that was not answered is never used: the next one has another name, and removes its row", async () => {
  let attempts = 0;
  const { lease, calls } = createLease({
    register: async () => {
      attempts += 1;
      if (attempts < 3) {
        throw new Error("no answer");
      }
      return 0;
    },
  });
  await expect(lease.renew()).rejects.toThrow("no answer");
  await expect(lease.renew()).rejects.toThrow("no answer");
  expect(lease.isValid()).toBe(false);
  await lease.renew();
  expect(calls()).toEqual([
    "register name 1",
    "register name 2 for name 1",
    "register name 3 for name 1, name 2",
    "read after 0",
  ]);
});

test("a server without its row applies the missed revocations that are still there before it forgets everything", async () => {
  const answers = [false];
  const { lease, applied, revocations, calls } = createLease({
    renew: async () => answers.pop() ?? true,
    register: async () => 10,
  });
  await lease.renew();
  const known = { subjects: ["key:z"], asOf: applied.position };
  const heard: string[] = [];
  applied.onApplied((subject) => heard.push(subject));
  revocations.push({ sequence: 11, subject: "key:a" });
  calls();
  await lease.renew();
  expect(heard[0]).toBe("key:a");
  expect(applied.isCurrent(known)).toBe(false);
  expect(calls().slice(0, 4)).toEqual([
    "renew name 1 at 10",
    "read after 10",
    "register name 2 for name 1",
    "read after 10",
  ]);
});

test("a released lease is invalid at once and for good, and its rows are removed", async () => {
  const { lease, calls } = createLease();
  await lease.renew();
  calls();
  const released = lease.release();
  expect(lease.isValid()).toBe(false);
  await released;
  await lease.renew();
  await lease.catchUp();
  expect(lease.isValid()).toBe(false);
  expect(calls()).toEqual(["remove name 1"]);
});
