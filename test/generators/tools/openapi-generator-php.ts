import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorPhp = openApiGenerator({
  generator: "php",
  title: "PHP",
  needs: ["php", "/usr/share/php/GuzzleHttp/autoload.php"],
  inCi: false,
  client: "client/lib/Api",
  options: ["--invoker-package=Byond"],
  async compile(bench) {
    await bench.copyPrograms();
    // PHP has no compiler: this loads every class, which finds what does not parse and what does not fit its parent.
    await bench.run("php", ["load-all.php"]);
  },
  async call(bench) {
    await bench.call("php", ["calls.php"]);
  },
});
