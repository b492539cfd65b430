// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, EffectProgram } from "../../program/program.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, FALSE, TRUE, type Field } from "../../simulator/expression.ts";
import { downWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import { writeBegin, writeEnd } from "../../simulator/objects/seqcount.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { copySteps } from "../mechanism/fork.ts";
import { insertAtEnd, insertAtStart, synthetic, without } from "../rewrite.ts";
import type { LiftedStep, World } from "../world.ts";
import { counterNamed } from "./protocol-words.ts";
import { addFastPin, addSurroundings, gated, isGate, objectsOf, type Objects } from "./surroundings.ts";

/** The counter of the parent; a counter of somebody else is none of the scenario's. */
const isOfParent = (program: EffectProgram) => (effect: BoundEffect): boolean => {
  if (effect.kind !== "seqcountSection") return false;
  const { is, place } = counterNamed(program, effect.seqcount);
  return is === "write_protect_seq" && !/dst|child|new/.test(place);
};

/** A section of a counter that is not known may be this one. */
const hasUnknown = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "seqcountSection" && counterNamed(program, effect.seqcount).is === "unknown"));

/** The range that is copied is one of a private mapping with anonymous pages. */
const ofMapping = (value: Value): number | null => {
  if (value.kind === "member" && value.field === "anon_vma") return 1;
  if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name" || !value.right.name.startsWith("VM_")) return null;
  return value.right.name === "VM_MAYWRITE" || value.right.name === "VM_WRITE" ? 1 : 0;
};

function forkWorld(program: EffectProgram, { memory, a, b, seq }: Objects, shared: Field): World {
  return {
    sees: (effect, call) => isGate(call) || effect.kind === "forkCopy" || isOfParent(program)(effect),
    reads: () => [],
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isGate(call)) return [{ ...downWrite(a.mmapLock), hidden: true }];
      if (effect.kind === "seqcountSection") return [effect.step === "begin" ? writeBegin(seq) : writeEnd(seq)];
      const copied = lifting.label("copied");
      const [asks, ...others] = copySteps(memory, { parent: a, child: b }, copied);
      if (!asks) return [];
      const first = asks.alternatives.map((way) => ({ ...way, guard: and(way.guard ?? TRUE, eq(shared, 0)), effect: [...(way.effect ?? []), assign(shared, 1)] }));
      const later = { guard: eq(shared, 1), to: copied, note: "other entries" };
      return [{ text: asks.text, alternatives: [...first, later] }, ...others, { label: copied, hidden: true, alternatives: [1, 0].map((value) => ({ effect: lifting.set(call.result, value) })) }];
    },
    place: ofMapping,
    meaning: (pure) => (pure.meaning === "cow-mapping" ? TRUE : pure.meaning === "hugetlb-vma" ? FALSE : null),
  };
}

/** The section around the whole function. */
function inSection(program: EffectProgram): EffectProgram {
  const bare = without(program, (node) => node.kind === "call" && node.effects.some(isOfParent(program)));
  const section = (step: "begin" | "end") =>
    synthetic(`raw_write_seqcount_${step}(&src_mm->write_protect_seq)`, { kind: "seqcountSection", step, seqcount: { kind: "name", name: "src_mm->write_protect_seq", at: -1 } });
  return insertAtEnd(insertAtStart(bare, [section("begin")]), [section("end")]);
}

/** FORK-1, G4: entries are shared and write-protected outside of a write section. */
export const forkOutsideSection: Experiment = {
  name: "fork-outside-section",
  primary: ["lost-dma"],
  secondary: [],
  bounds: "environment {pin_user_pages_fast(FOLL_WRITE), one store of the parent, device}, one private anonymous page, mmap_lock held for write, SC",
  build(program, release): BuiltModel | null {
    if (hasUnknown(program)) return null;
    const model = modelBuilder("fork-outside-section");
    const objects = objectsOf(model, release);
    const lifted = lift(model, gated(program), release, (thread) => forkWorld(program, objects, thread.local("copied", 0, { hidden: true })), { next: "copied" });
    lifted.thread.label("copied");
    const done = lifted.thread.step({ text: "dup_mmap(): mmap_write_unlock(A)", ...upWrite(objects.a.mmapLock) });
    model.reach(lifted.thread, done, "fork is over");
    addFastPin(model, objects);
    addSurroundings(model, objects, false);
    return { model: model.finish(), assumptions: lifted.assumptions };
  },
  fix: (program) => ({ title: "write section of write_protect_seq around the copy (57efa1fe5957)", program: inSection(program) }),
  mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.effects.some(isOfParent(fixed))),
  wrongFixes: [],
};
