// SPDX-License-Identifier: GPL-2.0-only
import type { Release as KernelRelease } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, ne, or, type Field } from "../../simulator/expression.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import type { LiftedStep, Lifting } from "../world.ts";
import { MEANT, type PagesFocus } from "./experiment.ts";
import { withHandings } from "./handed.ts";
import { userPages } from "./names.ts";
import { isOfPages, pageFields, pagesWorld, someTaken } from "./world.ts";

/*
 * set_page_dirty() finds the mapping of the page and works with it. A reference to the page keeps the page, not the mapping: only
 * truncation's own lock, the page lock, keeps that. mm/gup.c:317-320, mm/page-writeback.c:2715 (6.1.192).
 */

interface Mapping {
  /** 1: the page is of a file. */
  readonly ofPage: Field;
  /** 1: the file's inode is there. */
  readonly inode: Field;
  readonly lock: Field;
  /** What the call has read. */
  readonly read: Field;
}

const FIX = "set_page_dirty_lock";

function build(focus: PagesFocus & { readonly mark: CallNode }, program: EffectProgram, kernel: KernelRelease): BuiltModel | null {
  const found = userPages(program, focus.node);
  if (!found) return null;
  const model = modelBuilder("dirtied-without-page-lock");
  const fields = pageFields(model);
  const mapping: Mapping = {
    ofPage: model.field("page->mapping", 1, { labels: { 0: "none", 1: "the file" } }),
    inode: model.field("inode", 1, { labels: { 0: "freed", 1: "alive" } }),
    lock: model.field("page lock", 0, { labels: { 0: "free", 1: "held" } }),
    read: model.field("mapping read", 0, { hidden: true }),
  };
  const marked = withHandings(program, found);
  const isLock = (effect: BoundEffect): boolean =>
    (effect.kind === "acquire" || effect.kind === "release") && effect.lock === "folio_lock" && effect.object !== null && isOfPages(found, { pages: effect.object, count: null });
  const isMark = (effect: BoundEffect, call: CallNode): boolean => effect.kind === "marksDirty" && call.at === focus.mark.at;
  const lifted = lift(model, marked, kernel, () =>
    pagesWorld({
      program: marked, found, fields, meant: MEANT, release: null,
      more: {
        sees: (effect, call) => isLock(effect) || isMark(effect, call),
        reads: () => [],
        refine: (effect, call, lifting) =>
          effect.kind === "marksDirty" ? (effect.locks ? locked(call, lifting, mapping) : unlocked(call, lifting, mapping)) : effect.kind === "acquire" ? [taking(effect.held, call, lifting, mapping)] : [{ alternatives: [{ effect: [assign(mapping.lock, 0)] }], releases: [{ lock: mapping.lock }] }],
      },
    }),
  );
  for (const step of lifted.stepsOf.get(focus.node) ?? []) model.reach(lifted.thread, step, "the pinning call");
  addTruncation(model, mapping, someTaken(fields));
  return { model: model.finish(), assumptions: lifted.assumptions };
}

const held = (lock: Field) => ({ acquires: [{ lock, name: lock.name }] });

function taking(when: "always" | "nonzero" | "zero", call: CallNode, lifting: Lifting, { lock }: Mapping): LiftedStep {
  const taken = { guard: eq(lock, 0), effect: [assign(lock, 1), ...lifting.set(call.result, when === "nonzero" ? 1 : 0)] };
  if (when === "always") return { alternatives: [taken], ...held(lock) };
  const busy = { ...(when === "nonzero" ? { guard: ne(lock, 0) } : {}), effect: lifting.set(call.result, when === "nonzero" ? 0 : 1), note: when === "nonzero" ? "busy" : "a signal" };
  return { alternatives: [taken, busy], ...held(lock) };
}

const use = ({ read, inode }: Mapping, call: CallNode) => [
  { holds: or(eq(read, 0), eq(inode, 1)), property: "uaf", message: `${call.name}() works with the mapping of a file whose inode is freed: only the page lock keeps it` },
];

function unlocked(call: CallNode, lifting: Lifting, mapping: Mapping): LiftedStep[] {
  return [
    { text: `${call.name}(): reads page->mapping`, alternatives: [{ effect: [assign(mapping.read, mapping.ofPage)] }] },
    { alternatives: [{ checks: use(mapping, call), effect: lifting.set(call.result, 1), note: "works with it" }] },
  ];
}

const locked = (call: CallNode, lifting: Lifting, mapping: Mapping): LiftedStep[] => [
  { text: `${FIX}(): lock_page()`, alternatives: [{ guard: eq(mapping.lock, 0), effect: [assign(mapping.lock, 1)] }], ...held(mapping.lock) },
  ...unlocked(call, lifting, mapping),
  { text: `${FIX}(): unlock_page()`, alternatives: [{ effect: [assign(mapping.lock, 0)] }], releases: [{ lock: mapping.lock }] },
];

/** The process unmaps and closes the file that others have deleted: the inode goes, and its pages before it. */
function addTruncation(model: ModelBuilder, { ofPage, inode, lock }: Mapping, taken: ReturnType<typeof someTaken>): void {
  const thread = model.thread("last iput()", "daemon");
  thread.step({ text: "munmap(), close(): nobody else has the file", guard: and(taken) });
  thread.step({ text: "truncate_inode_pages(): lock_page()", guard: eq(lock, 0), effect: [assign(lock, 1)], ...held(lock) });
  thread.step({ text: "the page leaves the mapping; unlock_page()", effect: [assign(ofPage, 0), assign(lock, 0)], releases: [{ lock }] });
  thread.step({ text: "the inode is freed", effect: [assign(inode, 0)] });
}

/** A page of GUP is marked dirty without the page lock. */
export function dirtiedWithoutPageLock(focus: PagesFocus & { readonly mark: CallNode }): Experiment {
  const change = (program: EffectProgram, locks: boolean): EffectProgram => ({
    ...program,
    nodes: program.nodes.map((one) => {
      if (one.kind !== "call" || one.at !== focus.mark.at || !one.effects.some((effect) => effect.kind === "marksDirty")) return one;
      if (!locks) return { ...focus.mark, next: one.next };
      return { ...one, name: FIX, shown: `${FIX}()`, effects: one.effects.map((effect) => (effect.kind === "marksDirty" ? { ...effect, locks: true } : effect)) };
    }),
  });
  return {
    name: "dirtied-without-page-lock",
    primary: ["uaf"],
    secondary: [],
    bounds: "environment {the last user of the file goes, its pages are truncated}, a page of a shared file mapping, loops unbounded, SC",
    build: (program, kernel) => build(focus, program, kernel),
    fix: (program) => ({ title: `${FIX}()`, program: change(program, true) }),
    mutate: (fixed) => change(fixed, false),
    wrongFixes: [],
  };
}
