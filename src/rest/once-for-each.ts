/**
 * Calls `read` once for each key, and remembers what it returned for as long as the key lives. For what descriptors say: reading an option
 * parses its bytes anew each time, and every server of a process, and every part of it that compiles the schema, asks for the same ones.
 * What is returned is shared, so nobody may change it.
 */
export function onceForEach<Key extends object, Value>(read: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    let found = known.get(key);
    if (found === undefined) {
      found = { value: read(key) };
      known.set(key, found);
    }
    return found.value;
  };
}
