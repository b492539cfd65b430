// SPDX-License-Identifier: GPL-2.0-only
//
// check-package.mjs FILE.vsix: fails unless the package holds what runs, nothing else, and is small.
import { readFileSync } from "node:fs";

const LIMIT_BYTES = 3 * 1024 * 1024;

const required = [
  "package.json",
  "readme.md",
  "LICENSE.txt",
  "dist/extension.cjs",
  "dist/server.cjs",
  "dist/worker.cjs",
  "dist/node_modules/node-gyp-build/index.js",
  "dist/node_modules/node-gyp-build/node-gyp-build.js",
  "dist/node_modules/tree-sitter/index.js",
  "dist/node_modules/tree-sitter-c/bindings/node/index.js",
  "dist/node_modules/tree-sitter-c/src/node-types.json",
  "grammars/patch-c.injection.tmLanguage.json",
  "docs/patchwalk.schema.json",
  ...["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64"].flatMap((platform) => [
    `dist/node_modules/tree-sitter/prebuilds/${platform}/tree-sitter.node`,
    `dist/node_modules/tree-sitter-c/prebuilds/${platform}/tree-sitter-c.node`,
  ]),
];

/** What may be there besides: data and notices. */
const allowed = [
  /^grammars\/[\w.-]+\.json$/,
  /^docs\/rules\/[\w-]+\.md$/,
  /^docs\/images\/(?:icon|hover)\.png$/,
  /^dist\/node_modules\/(node-gyp-build|tree-sitter|tree-sitter-c)\/(package\.json|LICENSE)$/,
];

/** The names in a zip archive, from its central directory. */
function zipEntries(bytes) {
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0) throw new Error("not a zip archive");
  const names = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count--) {
    const length = bytes.readUInt16LE(at + 28);
    names.push(bytes.toString("utf8", at + 46, at + 46 + length));
    at += 46 + length + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return names;
}

const bytes = readFileSync(process.argv[2]);
const files = zipEntries(bytes)
  .filter((name) => name.startsWith("extension/"))
  .map((name) => name.slice("extension/".length));
const missing = required.filter((name) => !files.includes(name));
const surplus = files.filter((name) => !required.includes(name) && !allowed.some((pattern) => pattern.test(name)));

for (const name of missing) console.error(`package: ${name} is missing`);
for (const name of surplus) console.error(`package: ${name} does not belong there`);
if (bytes.length > LIMIT_BYTES) console.error(`package: ${bytes.length} bytes, more than ${LIMIT_BYTES}`);
if (missing.length > 0 || surplus.length > 0 || bytes.length > LIMIT_BYTES) process.exit(1);
console.log(`package: ${files.length} files, ${(bytes.length / 1024 / 1024).toFixed(2)} MB`);
