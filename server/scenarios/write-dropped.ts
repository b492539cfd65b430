// SPDX-License-Identifier: GPL-2.0-only
import { nameIn } from "../kernel/mechanism.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { flagBit } from "../program/flag-word.ts";
import type { AssignNode, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { someIn } from "./doubt.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { insertAtStart, name, synthetic } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * `faultin_page()` takes FOLL_WRITE out of the caller's flags once a fault has broken COW, so that the next lookup accepts the
 * copy although its entry is read-only (4ceb5db9757a, CVE-2016-5195). Between the two the copy can be thrown away, and the
 * lookup accepts whatever a read fault maps then. `faultin_page()` is lifted; the lookup in front of it is a template.
 */

/** `*flags &= ~FOLL_WRITE`. */
export interface Drop {
  readonly node: NodeId;
  readonly assign: AssignNode;
  /** The caller's flags. */
  readonly word: Value;
}

const LOOKUP = "follow_page_mask";
const isLookup = (call: CallNode): boolean => call.at < 0 && call.name === LOOKUP;

const TRUTH = { and: (a: boolean, b: boolean) => a && b, or: (a: boolean, b: boolean) => a || b, not: (a: boolean) => !a, constant: (a: boolean) => a, variable: () => true, condition: () => true, unknown: () => true };

/** The statement that drops the bit in the function in which the fault is handled; null: there is none. */
export function dropOf(program: EffectProgram): Drop | null {
  if (program.name !== "faultin_page") return null;
  for (const [node, one] of program.nodes.entries()) {
    if (one.kind !== "assign" || one.operator !== "&=" || one.at < 0 || !one.value) continue;
    const isCallers = one.target.kind === "unary" && one.target.operator === "*";
    if (isCallers && !flagBit(one.value, "FOLL_WRITE", TRUTH) && flagBit(one.value, "FOLL_FORCE", TRUTH)) return { node, assign: one, word: one.target };
  }
  return null;
}

const PAGES = { labels: { 0: "none", 1: "page F of the file", 2: "anonymous copy" } };

interface Objects {
  readonly entry: Field;
  readonly dirty: Field;
  /** VM_FAULT_WRITE of the last fault. */
  readonly broken: Field;
  /** The page that the lookup gave. */
  readonly taken: Field;
}

/** What the caller asks for: `/proc/self/mem` is written. */
const REQUEST: ReadonlySet<string> = new Set(["FOLL_WRITE", "FOLL_FORCE", "FOLL_GET"]);

/** What a lookup for write accepts although the entry is read-only: what this call copied, as the release tells it. */
const acceptsCopy = ({ entry, dirty }: Objects, cow: Expression, release: Release): Expression => (atLeast(release, "6.0") ? eq(entry, 2) : and(cow, eq(dirty, 1)));

/** A fault on a PROT_READ mapping of a file, as do_cow_fault(), do_wp_page() and do_read_fault() handle it. */
function faults({ entry, dirty, broken }: Objects, write: Expression): Alternative[] {
  const copy = [assign(entry, 2), assign(dirty, 1)];
  return [
    { guard: and(write, eq(entry, 0)), effect: [...copy, assign(broken, 0)], note: "write fault: maps a copy, read-only and dirty" },
    { guard: and(write, eq(entry, 1)), effect: [...copy, assign(broken, 1)], note: "write fault: maps a copy, VM_FAULT_WRITE" },
    { guard: and(write, eq(entry, 2)), effect: [assign(dirty, 1), assign(broken, 1)], note: "write fault: keeps the copy, read-only, VM_FAULT_WRITE" },
    { guard: and(not(write), eq(entry, 0)), effect: [assign(entry, 1), assign(dirty, 0), assign(broken, 0)], note: "read fault: maps page F of the file" },
    { guard: and(not(write), ne(entry, 0)), effect: [assign(broken, 0)], note: "nothing to do" },
  ];
}

function world(drop: Drop, objects: Objects, release: Release): World {
  const { entry, broken, taken } = objects;
  const bit = (lifting: Lifting, flag: string): Expression => lifting.flag(drop.word, flag) ?? FALSE;
  return {
    sees: (effect, call) => isLookup(call) || effect.kind === "handlesFault",
    reads: () => [],
    readsFlags: (effect, call) =>
      isLookup(call) ? ["FOLL_WRITE", "FOLL_COW"].map((flag) => ({ word: drop.word, bit: flag })) : effect.kind === "handlesFault" ? [{ word: effect.flags, bit: "FAULT_FLAG_WRITE" }] : [],
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isLookup(call)) {
        const accepts = and(ne(entry, 0), or(not(bit(lifting, "FOLL_WRITE")), acceptsCopy(objects, bit(lifting, "FOLL_COW"), release)));
        return [{
          label: "retry",
          alternatives: [{ guard: accepts, effect: [assign(taken, entry)], to: "take", note: "the page is taken" }, { guard: not(accepts), note: "NULL: must fault" }],
        }];
      }
      const write = effect.kind === "handlesFault" ? lifting.flag(effect.flags, "FAULT_FLAG_WRITE") : null;
      return write === null ? [] : [{ alternatives: faults(objects, write) }];
    },
    place(value) {
      if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name") return null;
      const { name: flag } = value.right;
      if (flag === "VM_FAULT_WRITE") return broken;
      // The fault succeeds at once, and the mapping may only be read.
      return flag.startsWith("VM_FAULT_") || flag === "VM_WRITE" || flag === "VM_SHARED" ? 0 : null;
    },
    meaning: () => null,
    // Whatever is asked of the mapping or the fault may be why the bit is dropped.
    decidedBy: (value, names) => someIn(value, (part) => part.kind === "call" || part.kind === "member" || (part.kind === "name" && names.has(part.name))),
    parameter: (key, flag) => (flag === null ? (key === "unshare" ? 0 : key === "flags" ? 1 : null) : key === render(drop.word) ? (REQUEST.has(flag) ? 1 : 0) : null),
  };
}

function build(program: EffectProgram, drop: Drop, release: Release): BuiltModel {
  const model: ModelBuilder = modelBuilder("write-dropped");
  const objects: Objects = {
    entry: model.field("pte", 1, PAGES),
    dirty: model.field("pte dirty", 0, { labels: { 0: "no", 1: "yes" } }),
    broken: model.field("VM_FAULT_WRITE", 0, { hidden: true }),
    taken: model.field("page taken", 0, PAGES),
  };
  const { entry, dirty, taken } = objects;
  const looked = insertAtStart(program, [{ ...synthetic("follow_page_mask(): may GUP take the page?", { kind: "maySleep" }), name: LOOKUP }]);
  const { thread, assumptions } = lift(model, looked, release, () => world(drop, objects, release), { next: "retry" });
  thread.label("take");
  const writes = thread.step({
    text: "the kernel writes to the page it took",
    checks: [{ holds: ne(taken, 1), property: "write-to-file-page", message: "the write lands in page F of a file that the process may only read" }],
  });
  const other = model.thread("another thread", "environment");
  other.step({ text: "madvise(MADV_DONTNEED)", effect: [assign(entry, 0), assign(dirty, 0)] });
  model.reach(thread, writes, "the kernel writes");
  return { model: model.finish(), assumptions };
}

/** B:S5: the write goes to the page of a read-only file mapping. */
export function writeDropped(drop: Drop, release: Release): Experiment {
  const cow: Omit<AssignNode, "next"> = { kind: "assign", target: drop.word, operator: "|=", value: name("FOLL_COW"), at: -1, end: -1 };
  const swap = (program: EffectProgram, to: Omit<AssignNode, "next">): EffectProgram => ({
    ...program,
    nodes: program.nodes.map((node, id): ProgramNode => (id === drop.node && node.kind === "assign" ? { ...to, next: node.next } : node)),
  });
  return {
    name: "write-dropped",
    primary: ["write-to-file-page"],
    secondary: [],
    bounds: "environment {madvise(MADV_DONTNEED)}, write through /proc/self/mem (FOLL_WRITE | FOLL_FORCE) to a PROT_READ mapping of a file, faults unbounded, SC",
    build: (program, target) => build(program, drop, target),
    fix: (program) => ({ title: `FOLL_WRITE stays, and ${nameIn("write-after-cow-break", release)}`, program: swap(program, cow) }),
    mutate: (fixed) => swap(fixed, drop.assign),
    wrongFixes: [],
  };
}
