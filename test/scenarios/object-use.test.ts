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

/** The kinds of objects of the design, and the files that tell each; locals are part of every thread. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  mm: ["mm"],
  vma: ["vma"],
  ptpage: ["page-table"],
  entry: ["entry", "pte"],
  folio: ["folio"],
  rwsem: ["rwsem", "fair-rwsem"],
  "spinlock, mutex, and their order": ["spinlock", "lock-order"],
  seqcount: ["seqcount"],
  rcu: ["rcu"],
  cpu: ["cpu", "tlb"],
  notifier: ["notifier", "interval"],
  kvm: ["kvm"],
  device: ["device"],
  uffd: ["uffd"],
  context: ["context", "task-state"],
};

/** The bad states of the design: the property, and where it has several objects what is said of each. */
const BAD_STATES: Readonly<Record<string, readonly [property: string, message: RegExp]>> = {
  "uaf(ptpage)": ["uaf", /an entry of .* after the table page was freed/],
  "uaf(ptl)": ["uaf", /the lock of .* after it was freed/],
  "uaf(folio)": ["uaf", /a folio is used/],
  "uaf(vma)": ["uaf", /a VMA is used/],
  "uaf(mm)": ["uaf", /mm is used/],
  "uaf(page tables of an mm)": ["uaf", /page tables of mm are walked/],
  "double-free": ["double-free", /freed twice/],
  underflow: ["underflow", /more often than/],
  "sleep-in-atomic": ["sleep-in-atomic", /may sleep/],
  "stale-tlb, protected": ["stale-tlb", /read-only/],
  "stale-tlb, freed": ["stale-tlb", /freed/],
  "stale-secondary-tlb": ["stale-secondary-mapping", /no longer backs/],
  "lost-dma": ["lost-dma", /device/],
  "dma-to-freed": ["dma-to-freed", /freed/],
  "info-leak": ["info-leak", /reads|gets a page/],
  "missed-uffd-wp": ["missed-uffd-wp", /without an event/],
  "lost-dirty": ["lost-dirty", /lost/],
  "unlock-not-held": ["unlock-not-held", /without|not/],
  "bug-on": ["bug-on", /./],
  "notifier-imbalance": ["notifier-imbalance", /start/],
  "lock-order": ["lock-order", /nests inside/],
  deadlock: ["deadlock", /waits for ever/],
  "leak-at-exit": ["leak-at-exit", /left/],
  livelock: ["livelock", /never finish/],
};

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
  expect(unused).toEqual([]);
});

/** What the buggy variants of the catalogue end in. One setting of a variant is enough. */
const violations = CATALOGUE.flatMap((scenario) => {
  const seen = new Set<string>();
  return settingsOf(scenario).flatMap((setting) => {
    const expected = scenario.expected(setting);
    if (expected === "pass" || expected === "uncertain" || seen.has(setting.variant)) return [];
    const model = scenario.build(setting);
    if (!model) return [];
    seen.add(setting.variant);
    const { violation } = decideScenario(scenario, model);
    return violation ? [violation] : [];
  });
});

test("every bad state that a step names is one that a scenario gets into", () => {
  const paths = [...objects.map(({ path }) => path), ...filesUnder("server/scenarios/catalogue"), ...filesUnder("server/scenarios/environment")];
  const named = new Set(paths.flatMap((path) => [...readFileSync(path, "utf8").matchAll(/\bproperty: "([a-z-]+)"/g)].map((match) => match[1]!)));
  expect([...named].filter((name) => !violations.some(({ property }) => property === name))).toEqual([]);
});

test("every kind of object of the design exists and is used by a scenario", () => {
  const usedKinds = new Set(
    filesUnder("server/scenarios").flatMap((path) => [...readFileSync(path, "utf8").matchAll(/simulator\/objects\/([a-z-]+)\.ts"/g)].map((match) => match[1]!)),
  );
  const told = Object.values(KINDS).flat();
  expect(told.filter((kind) => !objects.some((one) => one.kind === kind) || !usedKinds.has(kind))).toEqual([]);
});

test("every bad state of the design is one that a scenario gets into", () => {
  const reached = ([name, message]: readonly [string, RegExp]): boolean => violations.some((one) => one.property === name && message.test(one.message));
  expect(Object.entries(BAD_STATES).flatMap(([name, state]) => (reached(state) ? [] : [name]))).toEqual([]);
});
