// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { statesAt } from "../../server/analysis/unit.ts";
import { spins } from "../../server/kernel/lock-order.ts";
import type { BoundEffect, CallNode } from "../../server/program/program.ts";
import { render } from "../../server/program/render.ts";
import { lift } from "../../server/scenarios/lift.ts";
import type { LiftedStep, Lifting, World } from "../../server/scenarios/world.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../server/simulator/build.ts";
import { assign, decrement, increment } from "../../server/simulator/effect.ts";
import type { Field } from "../../server/simulator/expression.ts";
import { createMachine, currentStep, enabledAlternatives, evaluate, take, type Machine } from "../../server/simulator/interpreter.ts";
import { programOf, unitOfText } from "../program/dump.ts";

/*
 * The architecture runs one effect program twice: abstractly, and lifted into a model. On straight code (with ways out)
 * both must come to `here()` with the same locks held, the same atomic depth and the same entries mapped.
 */

const RELEASE = { major: 6, minor: 6, sublevel: null };

const objectOf = (value: { kind: string } & Parameters<typeof render>[0]): string => (value.kind === "unary" && value.operator === "&" ? render(value.of) : render(value));

/** A world that knows nothing but locks, sections and maps. */
function world(model: ModelBuilder, thread: ThreadBuilder, fields: Map<string, Field>): World {
  const depth = thread.local("depth");
  fields.set("depth", depth);
  const count = (key: string): Field => {
    const known = fields.get(key) ?? model.field(key);
    fields.set(key, known);
    return known;
  };
  const lockOf = (effect: BoundEffect & { lock: string; object: unknown }): Field => count(`${effect.lock}(${objectOf(effect.object as Parameters<typeof objectOf>[0])})`);
  const refine = (effect: BoundEffect, call: CallNode, lifting: Lifting): LiftedStep[] => {
    switch (effect.kind) {
      case "acquire": {
        const taken = [increment(lockOf(effect)), ...(spins(effect.lock) ? [increment(depth)] : [])];
        const [ok, failed] = effect.held === "zero" ? [0, 1] : [1, 0];
        const way = { effect: [...taken, ...lifting.set(call.result, ok)] };
        return [{ alternatives: effect.held === "always" ? [way] : [way, { effect: lifting.set(call.result, failed) }] }];
      }
      case "release":
        return [{ alternatives: [{ effect: [decrement(lockOf(effect)), ...(spins(effect.lock) ? [decrement(depth)] : [])] }] }];
      case "enterAtomic":
        return [{ alternatives: [{ effect: [increment(depth)] }] }];
      case "leaveAtomic":
        return [{ alternatives: [{ effect: [decrement(depth)] }] }];
      case "mapPte": {
        const lock = effect.locks && effect.ptlOut ? [increment(count(`ptl(${objectOf(effect.ptlOut)})`)), increment(depth)] : [];
        const map = { effect: [assign(count(`pte ${call.result}`), 1), ...lock, ...(effect.rcu ? [increment(depth)] : []), ...lifting.set(call.result, 1)] };
        return [{ alternatives: effect.mayFail ? [map, { effect: lifting.set(call.result, 0) }] : [map] }];
      }
      case "unmapPte": {
        const unlock = effect.ptl ? [decrement(count(`ptl(${objectOf(effect.ptl)})`)), decrement(depth)] : [];
        return [{ alternatives: [{ effect: [assign(count(`pte ${render(effect.pte)}`), 0), ...unlock, ...(effect.rcu ? [decrement(depth)] : [])] }] }];
      }
      default:
        return [];
    }
  };
  const seen = new Set(["acquire", "release", "enterAtomic", "leaveAtomic", "mapPte", "unmapPte"]);
  return {
    sees: (effect) => seen.has(effect.kind),
    reads: () => [],
    refine,
    place: () => null,
    meaning: () => null,
    unknownCall: (call) => (call.name === "here" ? [{ text: "here", alternatives: [{}] }] : null),
  };
}

const inWords = (locks: readonly string[], depth: number, entries: readonly string[]): string => [locks.toSorted().join(" "), depth, entries.toSorted().join(" ")].join(" | ");

/** Every way in which the model comes to `here()`. */
function concrete(text: string): string[] {
  const program = programOf(unitOfText(text, "6.6"), "f");
  const model = modelBuilder("straight code");
  const fields = new Map<string, Field>();
  lift(model, program, RELEASE, (thread) => world(model, thread, fields));
  const finished = model.finish();
  const ends: string[] = [];
  const words = (machine: Machine): string => {
    const held = [...fields].filter(([key, field]) => key !== "depth" && evaluate(machine, { kind: "field", field }) > 0).map(([key]) => key);
    const depth = fields.get("depth");
    return inWords(held.filter((key) => !key.startsWith("pte ")), depth ? evaluate(machine, { kind: "field", field: depth }) : 0, held.filter((key) => key.startsWith("pte ")).map((key) => key.slice(4)));
  };
  // A schedule is the list of alternatives taken so far: small programs are simply run again.
  const work: number[][] = [[]];
  for (let ways = work.pop(); ways; ways = work.pop()) {
    const machine = createMachine(finished);
    for (const way of ways) {
      const alternative = currentStep(machine, 0)?.alternatives[way];
      if (alternative) take(machine, 0, alternative);
    }
    if (currentStep(machine, 0)?.text === "here") ends.push(words(machine));
    for (const next of enabledAlternatives(machine, 0)) work.push([...ways, next]);
  }
  return [...new Set(ends)].toSorted();
}

/** Every state of the abstract interpreter at `here()`. */
function abstract(text: string): string[] {
  const unit = unitOfText(text, "6.6");
  const program = programOf(unit, "f");
  const fn = unit.analyze(program);
  const states = program.nodes.flatMap((node, id) => (node.kind === "call" && node.name === "here" ? statesAt(fn, id).map(({ state }) => state) : []));
  return [...new Set(states.map((state) => inWords(state.held.map((held) => `${held.lock}(${held.object})`), state.atomic.length, state.mapped.map(({ pte }) => pte))))].toSorted();
}

interface Pair {
  readonly open: string;
  readonly close: string;
}

const PAIRS: readonly Pair[] = [
  { open: "mmap_read_lock(mm);", close: "mmap_read_unlock(mm);" },
  { open: "if (!mmap_write_trylock(other))\n\treturn;", close: "mmap_write_unlock(other);" },
  { open: "if (mmap_read_lock_killable(third))\n\treturn;", close: "mmap_read_unlock(third);" },
  { open: "hugetlb_vma_lock_read(vma);", close: "hugetlb_vma_unlock_read(vma);" },
  { open: "i_mmap_lock_write(mapping);", close: "i_mmap_unlock_write(mapping);" },
  { open: "spin_lock(&mm->page_table_lock);", close: "spin_unlock(&mm->page_table_lock);" },
  { open: "locked = spin_trylock(ptl);\nif (!locked)\n\treturn;", close: "spin_unlock(ptl);" },
  { open: "rcu_read_lock();", close: "rcu_read_unlock();" },
  { open: "one = pte_offset_map(pmd, addr);\nif (!one)\n\treturn;", close: "pte_unmap(one);" },
  { open: "two = pte_offset_map_lock(mm, pmd, addr, &ptl2);\nif (!two)\n\treturn;", close: "pte_unmap_unlock(two, ptl2);" },
  { open: "three = pte_offset_map_nolock(mm, pmd, addr, &ptl3);\nif (!three)\n\there();", close: "if (three)\n\tpte_unmap(three);" },
];

/** A program that opens and closes sections, in any order that is not closed before it is opened. */
function programText(choices: readonly number[]): string {
  const open = new Set<Pair>();
  const rows = choices.map((choice) => {
    const pair = PAIRS[choice % PAIRS.length] ?? PAIRS[0];
    if (!pair) return "";
    const isOpen = open.has(pair);
    if (isOpen) open.delete(pair);
    else open.add(pair);
    return isOpen ? pair.close : pair.open;
  });
  const head = "static void f(struct mm_struct *mm, struct mm_struct *other, struct mm_struct *third, struct vm_area_struct *vma, struct address_space *mapping, pmd_t *pmd, unsigned long addr, spinlock_t *ptl)";
  return `${head}\n{\n\tpte_t *one, *two, *three;\n\tspinlock_t *ptl2, *ptl3;\n\tbool locked;\n\n${rows.join("\n")}\nhere();\n}\n`;
}

test("both interpreters agree on locks held, atomic depth and mapped entries", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: PAIRS.length - 1 }), { maxLength: 10 }), (choices) => {
      const text = programText(choices);
      expect(concrete(text)).toEqual(abstract(text));
    }),
    { numRuns: 150, seed: 20_221_207 },
  );
});

test("the comparison sees a difference", () => {
  expect(abstract(programText([0, 7]))).toEqual(["mmap_lock(mm) | 1 | "]);
  expect(concrete(programText([0, 7, 0]))).toEqual([" | 1 | "]);
});
