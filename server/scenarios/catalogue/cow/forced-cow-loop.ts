// SPDX-License-Identifier: GPL-2.0-only
import { ERAS } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { eq } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { addUnmap } from "../../environment/exit.ts";
import { addForcedGup, dirtyBit, type ForcedWorld } from "../../mechanism/forced-access.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

const GUP = "get_user_pages()";

export function forcedCowLoop(follow: "forced-cow-dirty" | "cow-dirty"): Model {
  const model = modelBuilder(`forced-cow-loop, ${follow}`);
  const memory = privateMemory(model, ERAS.E1, { firstIsMappedTwice: true });
  const world: ForcedWorld = { memory, at: addressSpace(memory, "A", 1), dirty: dirtyBit(model) };
  const b = addressSpace(memory, "B", 1);
  const reader = model.thread(GUP, "review");
  const { takes } = addForcedGup(reader, world, { force: false, follow });
  reader.step({ text: "has the page" });
  model.reach(reader, takes, "the page is looked up");
  const child = model.thread("child B", "environment");
  addUnmap(child, memory, b, { text: "exit_mmap(B)", after: eq(0, 0) });
  return model.finish();
}

/** A read of a PROT_READ private mapping faults for write for ever: the fault breaks COW, and the lookup still says no. */
export const forcedCowLoopScenario: CatalogueScenario = {
  id: "forced-cow-loop",
  rules: ["gup-cow-break-missing", "gup-unshare-unhandled"],
  title: "GUP that breaks COW early on a mapping that may not be written",
  sources: ["17839856fd58 (5.8): the change of can_follow_write_pte() that goes with should_force_cow_break()"],
  properties: [],
  deadlock: false,
  livelock: GUP,
  variants: [
    { id: "needs-force", what: "can_follow_write_pte() still asks for FOLL_FORCE", isFixed: false },
    { id: "cow-is-enough", what: "FOLL_COW and a dirty entry are enough", isFixed: true, undone: "needs-force" },
  ],
  axes: { eras: ["E1"], releases: [], byArchitecture: false },
  build: ({ variant }) => forcedCowLoop(variant === "needs-force" ? "forced-cow-dirty" : "cow-dirty"),
  expected: ({ variant }) => (variant === "needs-force" ? "fail" : "pass"),
};
