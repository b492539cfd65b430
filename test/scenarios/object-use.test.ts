// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decideScenario, settingsOf } from "../../server/scenarios/catalogue/decide.ts";
import { CATALOGUE } from "../../server/scenarios/catalogue/catalogue.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, folder, name))
    .toSorted();

/** Operations of the object library that no scenario uses yet, as `kind: operation`. Names leave this list, none come. */
const UNUSED: readonly string[] = ["folio: isExclusive", "store-buffer: isDrained", "store-buffer: loadOwn"];

/** Bad states that no scenario of the catalogue gets into yet. Names leave this list, none come. */
const UNVIOLATED: readonly string[] = [];

const objects = filesUnder("server/simulator/objects").map((path) => ({ kind: basename(path, ".ts"), path, code: readFileSync(path, "utf8") }));
const users = [...filesUnder("server/scenarios"), ...objects.map(({ path }) => path)];

/** What files import from the object library, as `kind: operation`. */
const imported = new Set(
  users.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/import (?:type )?\{([^}]*)\} from "[^"]*\/([a-z-]+)\.ts"/g)].flatMap(([, names, kind]) =>
      names!.split(",").map((name) => `${kind}: ${name.trim().replace(/^type /, "")}`),
    ),
  ),
);

const occurrences = (code: string, name: string): number => [...code.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;

test("every operation of the object library is used by a scenario", () => {
  const unused = objects.flatMap(({ kind, code }) =>
    [...code.matchAll(/^export (?:const|function) (\w+)/gm)]
      .map((match) => match[1]!)
      .filter((name) => !imported.has(`${kind}: ${name}`) && occurrences(code.replace(/\/\*[^]*?\*\//g, ""), name) < 2)
      .map((name) => `${kind}: ${name}`),
  );
  expect(unused.filter((name) => !UNUSED.includes(name))).toEqual([]);
});

test("every bad state is one that a scenario gets into", () => {
  const paths = [...objects.map(({ path }) => path), ...filesUnder("server/scenarios/catalogue"), ...filesUnder("server/scenarios/environment")];
  const named = new Set(paths.flatMap((path) => [...readFileSync(path, "utf8").matchAll(/\bproperty: "([a-z-]+)"/g)].map((match) => match[1]!)));
  const violated = new Set(
    CATALOGUE.flatMap((scenario) => {
      const seen = new Set<string>();
      // One setting of a variant is enough.
      return settingsOf(scenario).flatMap((setting) => {
        const expected = scenario.expected(setting);
        if (expected === "pass" || expected === "uncertain" || seen.has(setting.variant)) return [];
        const model = scenario.build(setting);
        if (!model) return [];
        seen.add(setting.variant);
        return [decideScenario(scenario, model).violation?.property];
      });
    }),
  );
  expect([...named].filter((property) => !violated.has(property) && !UNVIOLATED.includes(property))).toEqual([]);
});
