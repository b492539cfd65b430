// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { element, eq, ne, TRUE } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import { addUnmap } from "../../environment/exit.ts";
import { addStore } from "../../environment/store.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addFork } from "../../mechanism/fork.ts";
import { addFastGup } from "../../mechanism/gup-fast.ts";
import { addSlowGup } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { PageKind } from "../../mechanism/page-behavior.ts";
import type { CatalogueScenario } from "../scenario.ts";

const SECRET = 1;

/** How the child gets its reference: with mmap_lock held, or first by a lockless walk that asks for a writable entry or not. */
export type Walk = "slow" | "fast" | "fast-for-write";

/** The model of one kind of page under any rules, those of no era included. */
export function vmspliceLeak(kind: PageKind, era: EraBehavior, walk: Walk = "slow"): Model {
  const model = modelBuilder(`vmsplice-leak, ${kind}, ${walk}`);
  const memory = privateMemory(model, era, { kind, contents: { 0: "old data", [SECRET]: "secret" } });
  const a = addressSpace(memory, "A", 2);
  const b = addressSpace(memory, "B", 0);
  const forked = model.field("forked", 0, { hidden: true });
  const child = model.thread("child B", "review");
  const pipe = child.local("page in the pipe", 0, { labels: Object.fromEntries(["none", ...memory.names].entries()) });
  const call = { request: { write: false, pin: false }, page: pipe, registers: faultRegisters(child), prefix: "vmsplice()" };
  if (walk === "slow") addSlowGup(child, memory, b, { ...call, after: eq(forked, 1) });
  else {
    child.step({ text: "vmsplice()", guard: eq(forked, 1) });
    addFastGup(child, memory, b, { ...call, walksForWrite: walk === "fast-for-write" });
  }
  addUnmap(child, memory, b, { text: "munmap(B)", after: TRUE });
  const read = child.step({
    text: "reads the pipe",
    checks: [{ holds: ne(element(memory.folios.content, pipe), SECRET), property: "info-leak", message: "the child reads what the parent stored after the fork" }],
  });
  const parent = model.thread("parent A", "environment");
  addFork(parent, memory, { parent: a, child: b, done: [assign(forked, 1)] });
  const store = addStore(parent, memory, a, { registers: faultRegisters(parent), value: SECRET, text: "stores a secret to va" });
  model.reach(child, read, "the child reads the pipe");
  model.reach(parent, store, "the parent stores");
  return model.finish();
}

/** Eras in which it leaks: wherever only mappings are counted, and the reference does not break COW. */
const LEAKS: Readonly<Record<PageKind, readonly GupEra[]>> = {
  "order-0": ["E0"],
  thp: ["E0", "E2", "E3", "E3b"],
  hugetlb: ["E0", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"],
};

/** The child's turn lies between the fork and the parent's write fault. */
const FORK_VMSPLICE_MUNMAP_STORE: readonly OrderedStep[] = [
  { thread: "parent A", step: "mmap_write_unlock(A)" },
  { thread: "child B", step: "mmap_read_unlock(B)" },
  { thread: "child B", step: "munmap(B)" },
  { thread: "parent A", step: "mmap_read_unlock(A)" },
  { thread: "child B", step: "reads the pipe" },
];

const isKind = (text: string): text is PageKind => Object.hasOwn(LEAKS, text);

/** A child keeps a shared page in a pipe and drops its mapping; the parent's next store reuses the page in place. */
export const vmspliceLeakScenario: CatalogueScenario = {
  id: "vmsplice-leak",
  rules: ["gup-cow-break-missing", "gup-cow-break-misplaced", "cow-reuse-unsafe"],
  title: "a reference of the child to a page that the parent goes on using (CVE-2020-29374)",
  sources: ["17839856fd58 (5.8), 09854ba94c6a (5.9)", "3bff7e3f1f16 (5.18): huge pages", "mm/hugetlb.c:5592 (6.1.192): mapcount"],
  properties: ["info-leak"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "order-0", what: "a small page", isFixed: false },
    { id: "thp", what: "a transparent huge page", isFixed: false },
    { id: "hugetlb", what: "a hugetlb page", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => (isKind(variant) ? vmspliceLeak(variant, ERAS[era]) : null),
  expected: ({ variant, era }) => (isKind(variant) && LEAKS[variant].includes(era) ? "fail" : "pass"),
  orders: [
    { source: "17839856fd58, a small page in E0", variant: "order-0", era: "E0", steps: FORK_VMSPLICE_MUNMAP_STORE, expected: "fail" },
    { source: "17839856fd58, a small page in E4", variant: "order-0", era: "E4", steps: FORK_VMSPLICE_MUNMAP_STORE, expected: "pass" },
    { source: "3bff7e3f1f16, a huge page in E3b", variant: "thp", era: "E3b", steps: FORK_VMSPLICE_MUNMAP_STORE, expected: "fail" },
    { source: "mm/hugetlb.c:5592, a hugetlb page in E5", variant: "hugetlb", era: "E5", steps: FORK_VMSPLICE_MUNMAP_STORE, expected: "fail" },
  ],
};
