// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const GENERATED = new Set(["node_modules", "dist", ".git"]);
const TEXT = /\.(ts|mjs|cjs|js|json|md|sh|lua|c|patch|txt|mbox|eml|svg|yml)$|^\.?[a-z]+$/;

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    // In a work tree of git's, `.git` is a file with a path in it.
    if (GENERATED.has(entry.name)) return [];
    if (entry.isDirectory()) return listFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

const files = listFiles("");
const texts = files.filter((path) => TEXT.test(basename(path)));
const sources = files.filter((path) => /^(server|extension)\/.*\.ts$/.test(path));
const manifest = JSON.parse(read("package.json"));

/** The places, as `path:line`, where a pattern occurs. */
function places(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path).split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

/** A pattern from parts, so that this file does not hold what it looks for. */
const anyOf = (...words: readonly (readonly string[])[]): string => words.map((parts) => parts.join("")).join("|");

describe("source files", () => {
  it("state their license in the first lines", () => {
    const programs = files.filter((path) => /\.(ts|mjs|cjs|sh|lua)$/.test(path));
    const bare = programs.filter((path) => !read(path).split("\n", 2).join("\n").includes("SPDX-License-Identifier: GPL-2.0-only"));
    expect(bare).toEqual([]);
  });

  it("stay short", () => {
    expect(sources.filter((path) => read(path).split("\n").length > 401)).toEqual([]);
  });

  it("have kebab-case names that say what they hold", () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.spec)?\.ts$/;
    const odd = files.filter((path) => path.endsWith(".ts") && !path.endsWith(".config.ts") && !name.test(basename(path)));
    expect(odd).toEqual([]);
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|index|misc)\.ts$/.test(path))).toEqual([]);
  });

  it("have no default exports", () => {
    expect(places(sources, /^export default\b/)).toEqual([]);
  });

  it("leave nothing for later", () => {
    expect(places(texts, new RegExp(`\\b(${anyOf(["TO", "DO"], ["FIX", "ME"])})\\b`))).toEqual([]);
  });
});

describe("the repository", () => {
  it("names no place of one machine", () => {
    const folders = anyOf(["wo", "rk"], ["ro", "ot"], ["t", "mp"], ["ho", "me"], ["Us", "ers"]);
    const absolute = new RegExp(`(^|[\\s"'\`(=:])/(${folders})/[\\w.]`);
    expect(places(texts.filter((path) => path !== "package-lock.json"), absolute)).toEqual([]);
  });

  it("names no registry", () => {
    expect(places(texts, new RegExp(`https?://[^\\s"]*${anyOf(["regis", "try"])}\\b`))).toEqual([]);
    expect(read("package-lock.json")).not.toContain(`"${"resolved"}": "http`);
  });

  it("keeps what ships in a list", () => {
    const lines = read(".vscodeignore").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines[0]).toBe("**");
    expect(lines.slice(1).every((line) => line.startsWith("!"))).toBe(true);
  });

  it("has the text of its license", () => {
    expect(read("LICENSE")).toContain("GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991");
  });
});

describe("the manifest", () => {
  const lock = JSON.parse(read("package-lock.json"));
  const EXACT = /^\d+\.\d+\.\d+$/;

  it("pins every version", () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides };
    expect(Object.entries(versions).filter(([, version]) => !EXACT.test(version as string))).toEqual([]);
  });

  it("is in step with the lock file", () => {
    const locked = lock.packages[""];
    for (const key of ["name", "version", "license", "engines", "dependencies", "devDependencies"]) {
      expect(locked[key], key).toEqual(manifest[key]);
    }
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  it("locks the packages of every platform, without which a clean install is refused", () => {
    const has = (from: string, name: string): boolean => {
      const path = `${from === "" ? "" : `${from}/`}node_modules/${name}`;
      if (path in lock.packages) return true;
      return from !== "" && has(from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1)), name);
    };
    const entries = Object.entries<{ dependencies?: object; optionalDependencies?: object }>(lock.packages);
    const absent = entries.flatMap(([from, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !has(from, name)),
    );
    expect(absent).toEqual([]);
  });

  it("asks for no newer editor than its types describe", () => {
    expect(manifest.engines.vscode).toBe(`^${manifest.devDependencies["@types/vscode"]}`);
  });

  it("has the settings and commands that the documentation promises", () => {
    const settings = manifest.contributes.configuration.properties;
    expect(Object.keys(settings)).toEqual(["patchwalk.target.release", "patchwalk.minTier", "patchwalk.inlayHints.held", "patchwalk.rules"]);
    const commands = manifest.contributes.commands.map((entry: { command: string }) => entry.command);
    expect(commands).toEqual(["patchwalk.restartServer", "patchwalk.showOutput"]);
  });

  it("contributes files that exist", () => {
    const paths = [
      ...manifest.contributes.grammars.map((entry: { path: string }) => entry.path),
      ...manifest.contributes.jsonValidation.map((entry: { url: string }) => entry.url),
    ];
    expect(paths.filter((path: string) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("the parser", () => {
  it("loads from the binaries that come with its packages", () => {
    const require = createRequire(import.meta.url);
    const Parser = require("tree-sitter");
    const parser = new Parser();
    parser.setLanguage(require("tree-sitter-c"));
    expect(parser.parse("int f(void) { return 0; }").rootNode.hasError).toBe(false);
    const binaries = Object.keys(require.cache).filter((path) => path.endsWith(".node"));
    expect(binaries.length).toBeGreaterThanOrEqual(2);
    expect(binaries.filter((path) => !path.includes("prebuilds"))).toEqual([]);
  });
});
