/** What an RPC may declare about its callers. A declaration that lets too many in keeps the server from starting. */
import { create, type DescMethod, setExtension } from "@bufbuild/protobuf";
import { MethodDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { AccessSchema, access, Credential } from "../../gen/byond/v1/access_pb.ts";
import { AuthService } from "../../gen/byond/v1/auth_pb.ts";
import { accessOf } from "../../src/access/authorize.ts";

type Declared = { credential: Credential; scope?: string; sandbox?: boolean };

/** An RPC as it is, with another declaration. */
function declaring(method: DescMethod, declared: Declared | undefined): DescMethod {
  const options = create(MethodOptionsSchema);
  if (declared !== undefined) {
    setExtension(options, access, create(AccessSchema, declared));
  }
  return { ...method, proto: create(MethodDescriptorProtoSchema, { ...method.proto, options }) };
}

const { logoutAll: effect, getMe: read } = AuthService.method;

test("an RPC with side effects that takes keys and sessions must declare the scope that a key needs", () => {
  const declared = { credential: Credential.API_KEY_OR_SESSION };
  expect(() => accessOf(declaring(effect, declared))).toThrow("LogoutAll lets any key act on the account");
  expect(accessOf(declaring(effect, { ...declared, scope: "*" }))).toMatchObject({ scope: "*", sandbox: false });
  expect(accessOf(declaring(read, declared))).toMatchObject({ scope: "", sandbox: false });
});

describe("contradictory declarations are refused", () => {
  test.each<[string, Declared | undefined]>([
    ["nothing", undefined],
    ["no credential", { credential: Credential.UNSPECIFIED }],
    ["a scope of a session", { credential: Credential.SESSION, scope: "*" }],
    ["a scope of nobody", { credential: Credential.NONE, scope: "*" }],
    ["sandbox keys of a session", { credential: Credential.SESSION, sandbox: true }],
    ["sandbox keys of the data plane, which takes them anyhow", { credential: Credential.API_KEY, sandbox: true }],
  ])("%s", (_what, declared) => {
    expect(() => accessOf(declaring(read, declared))).toThrow(TypeError);
  });
});
