// SPDX-License-Identifier: GPL-2.0-only
//
// Builds dist/: the extension, the language server (with its threads) and the command
// line as one CommonJS file each, and beside them the native packages that they load.
//
// Every file is written under another name and then renamed, and nothing is
// deleted first, so a program that runs from dist/ never sees half a file.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");

/** Loaded from dist/node_modules at run time: bundling breaks how they look for their binaries. */
const native = ["tree-sitter", "tree-sitter-c"];

/** What these packages need at run time; without node-types.json tree-sitter-c loses its field accessors. */
const nativeFiles = {
  "node-gyp-build": ["package.json", "index.js", "node-gyp-build.js", "LICENSE"],
  "tree-sitter": ["package.json", "index.js", "LICENSE", "prebuilds"],
  "tree-sitter-c": ["package.json", "bindings/node/index.js", "src/node-types.json", "LICENSE", "prebuilds"],
};

/** ES module code may ask for its own address; a CommonJS file knows only its path. */
const importMeta = {
  define: { "import.meta.url": "importMetaUrl" },
  prologue: `"use strict";\nconst importMetaUrl = require("node:url").pathToFileURL(__filename).href;`,
};

/** What Node would load is made for another kind of loader, which a bundle cannot follow. */
const alias = { "jsonc-parser": "jsonc-parser/lib/esm/main.js" };

const bundles = [
  { entry: "extension/main.ts", outfile: "extension.cjs", external: ["vscode"] },
  { entry: "server/main.ts", outfile: "server.cjs", external: native },
  { entry: "server/cli/main.ts", outfile: "cli.cjs", external: native, program: true },
];

/** What threads run is in the server: two copies of the engine are a tenth of the package. */
const THREAD = `"use strict";\nrequire("./server.cjs");\n`;

/** Gives `path` its new content in one step; a file that is up to date keeps its time stamp. */
async function replaceFile(path, content, mode = 0o644) {
  const old = await readFile(path).catch(() => null);
  if (old !== null && digest(old) === digest(content)) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  await chmod(temporary, mode);
  await rename(temporary, path);
}

const digest = (content) => createHash("sha256").update(content).digest("hex");

async function bundle({ entry, outfile, external, program = false }) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(dist, outfile),
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    external,
    alias,
    define: importMeta.define,
    banner: { js: (program ? "#!/usr/bin/env node\n" : "") + importMeta.prologue },
    charset: "utf8",
    legalComments: "none",
    minify: true,
    logLevel: "warning",
  });
  await replaceFile(join(dist, outfile), result.outputFiles[0].contents, program ? 0o755 : 0o644);
}

/** Copies a file or folder of an installed package, unless the copy has the same size and time. */
async function copy(from, to) {
  const source = await stat(from);
  if (source.isDirectory()) {
    await Promise.all((await readdir(from)).map((name) => copy(join(from, name), join(to, name))));
    return;
  }
  const present = await stat(to).catch(() => null);
  if (present !== null && present.size === source.size && present.mtimeMs >= source.mtimeMs) return;
  await mkdir(dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}`;
  await copyFile(from, temporary);
  await rename(temporary, to);
}

const copies = Object.entries(nativeFiles).flatMap(([name, files]) =>
  files.map((file) => copy(join(root, "node_modules", name, file), join(dist, "node_modules", name, file))),
);

await Promise.all([...bundles.map(bundle), replaceFile(join(dist, "worker.cjs"), THREAD), ...copies]).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
