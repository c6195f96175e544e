/** Types of fields that no service has yet, as the PHP SDK reads and sends them. */
import { execFile, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Field, FieldType, Model, Operation } from "../../sdk/generator/model.ts";
import { emitPhp } from "../../sdk/generator/php.ts";
import { makeFolder, root } from "../system/main-process.ts";

const run = promisify(execFile);
const hasPhp = spawnSync("php", ["--version"]).status === 0;

const types: Record<string, FieldType> = {
  text: { kind: "string" },
  flag: { kind: "boolean" },
  count: { kind: "integer" },
  share: { kind: "number" },
  long_count: { kind: "int64" },
  some_bytes: { kind: "bytes" },
  some_time: { kind: "timestamp" },
  any_json: { kind: "json" },
  color: { kind: "enum", name: "Color" },
  point: { kind: "message", name: "Point" },
};
const all: Record<string, FieldType> = {
  ...types,
  ...Object.fromEntries(Object.entries(types).map(([name, of]) => [`${name}_list`, { kind: "list", of }])),
  ...Object.fromEntries(Object.entries(types).map(([name, of]) => [`${name}_map`, { kind: "map", of }])),
};

function fieldsOf(from: Record<string, FieldType>, isNullable: boolean): Field[] {
  return Object.entries(from).map(([name, type]) => ({ name, type, doc: "A field.", isRequired: false, isNullable }));
}

const model: Model = {
  version: "1.2.3",
  apiVersion: "2026-01-01",
  errors: [],
  enums: [
    { name: "Color", typeName: "x.Color", doc: "", values: [{ word: "red", number: 1, constant: "RED", doc: "Red." }] },
  ],
  messages: [
    { name: "Point", doc: "A point.", fields: fieldsOf({ x: { kind: "integer" } }, false) },
    { name: "Everything", doc: "All of it.", fields: fieldsOf(all, false) },
    { name: "Nothing", doc: "None of it.", fields: fieldsOf(all, true) },
  ],
  services: [
    {
      name: "shapes",
      typeName: "Shapes",
      rpcService: "x.Shapes",
      doc: "Shapes.",
      operations: (["Everything", "Nothing"] as const).map((type) => ({
        name: type === "Everything" ? "draw" : "erase",
        id: `shapes.${type}`,
        rpcName: type,
        doc: "Draws.",
        http: { method: "POST", path: "/api/v1/draw" },
        pathParameters: [],
        parameters: fieldsOf(all, true),
        parametersType: "Params",
        parametersIn: "body",
        parametersField: undefined,
        result: { type, field: undefined },
        pages: undefined,
        stream: undefined,
        credential: "none",
        scope: undefined,
        hasSideEffects: true,
        isRepeatable: true,
      })),
    },
  ],
};

const one = {
  text: "ä",
  flag: true,
  count: 1,
  share: 0.5,
  long_count: "9007199254740993",
  some_bytes: "AP8=",
  some_time: "2026-06-15T10:30:00Z",
  any_json: { a: [] },
  color: "green",
  point: { x: 1 },
};
const whole = {
  ...one,
  ...Object.fromEntries(Object.entries(one).map(([name, value]) => [`${name}_list`, [value]])),
  ...Object.fromEntries(Object.entries(one).map(([name, value]) => [`${name}_map`, { some_key: value }])),
};

// Machines without PHP leave this out; CI installs it.
test.skipIf(!hasPhp)("fields of every type are read and sent, alone, in lists and in maps", async () => {
  await using folder = await makeFolder();
  for (const [path, content] of Object.entries(emitPhp(model))) {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  // What is read is sent again: a result has the types that parameters take, except for objects, which are arrays there.
  const program = `
    set_error_handler(static fn (int $level, string $message) => throw new ErrorException($message));
    // Generated classes come from the folder, those written by hand from the SDK.
    spl_autoload_register(static function (string $class): void {
        $path = strtr(substr($class, strlen('Byond')), '\\\\', '/') . '.php';
        if (is_file($_SERVER['FOLDER'] . $path)) { require $_SERVER['FOLDER'] . $path; }
    });
    require 'autoload.php';
    require 'test/RecordingClient.php';
    $answers = [];
    foreach ([['draw', $argv[1]], ['erase', $argv[1]], ['draw', '{}'], ['erase', '{}']] as [$method, $answer]) {
        $http = new Byond\\Test\\RecordingClient($answer);
        $caller = new Byond\\Caller($http, 'http://x', null, null, null, false, 0, 1.0, []);
        $result = (new Byond\\Service\\Shapes($caller))->$method();
        $given = get_object_vars($result);
        $array = static fn (?Byond\\Result $value): ?array => $value === null ? null : get_object_vars($value);
        $given['point'] = $array($given['point']);
        foreach (['pointList', 'pointMap'] as $name) {
            $given[$name] = $given[$name] === null ? null : array_map($array, $given[$name]);
        }
        (new Byond\\Service\\Shapes($caller))->$method(...$given);
        $answers[] = json_decode($http->requests[1]->body);
    }
    echo json_encode($answers);`;
  const { stdout } = await run("php", ["-r", program, "--", JSON.stringify(whole)], {
    cwd: join(root, "sdk/php"),
    env: { PATH: process.env.PATH, FOLDER: folder.path },
  });
  const empty = {
    text: "",
    flag: false,
    count: 0,
    share: 0,
    long_count: "0",
    some_bytes: "",
    some_time: "1970-01-01T00:00:00Z",
    color: "",
    point: { x: 0 },
  };
  const emptyLists = Object.fromEntries(Object.keys(one).map((name) => [`${name}_list`, []]));
  const emptyMaps = Object.fromEntries(Object.keys(one).map((name) => [`${name}_map`, {}]));
  expect(JSON.parse(stdout)).toEqual([whole, whole, { ...empty, ...emptyLists, ...emptyMaps }, {}]);
});

test.each([
  [{ messages: [{ name: "List", doc: "", fields: [] }] }, /a class named List/],
  [
    { services: model.services.map((one) => ({ ...one, operations: [withParameter("options")] })) },
    /a parameter named options/,
  ],
])("names that PHP cannot have are refused", (changes, message) => {
  expect(() => emitPhp({ ...model, ...changes })).toThrow(message);
});

function withParameter(name: string): Operation {
  const [operation] = model.services.flatMap(({ operations }) => operations);
  if (operation === undefined) {
    throw new Error("the model has no operation");
  }
  return { ...operation, parameters: fieldsOf({ [name]: { kind: "string" } }, true) };
}
