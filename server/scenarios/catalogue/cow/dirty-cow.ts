// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior } from "../../../kernel/era.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import type { Model } from "../../../simulator/model.ts";
import { isMapped, isNone } from "../../../simulator/objects/pte.ts";
import { zap } from "../../environment/exit.ts";
import { addForcedGup, dirtyBit, isOwn, mapFile, type Follow, type ForcedWorld } from "../../mechanism/forced-access.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Who else makes the entry dirty, besides the copy that COW makes. */
type Dirtier = "touch" | "continue";

interface Told {
  readonly follow: Follow;
  readonly dirtiers: readonly Dirtier[];
  /** A read that touches the entry leaves its dirty bit alone. */
  readonly touchesClean?: boolean;
  /** A huge page that a PMD maps, and the page is the huge zero page. */
  readonly isHuge?: boolean;
  readonly what: string;
  /** Where it is the code. A buggy variant is built in the release of its fix too: what that is without. */
  readonly releases: readonly string[];
  readonly undone?: string;
}

const TOLD: Readonly<Record<string, Told>> = {
  "drop-write": { follow: "drop-write", dirtiers: [], releases: ["4.8", "4.9"], what: "the fault drops FOLL_WRITE (CVE-2016-5195)" },
  "foll-cow": { follow: "forced-cow-dirty", dirtiers: [], releases: ["4.9"], undone: "drop-write", what: "FOLL_COW, and the entry is dirty" },
  "touch-dirties": { follow: "forced-cow-dirty", dirtiers: ["touch"], isHuge: true, releases: ["4.14", "4.15"], what: "a huge page that a read made dirty (CVE-2017-1000405)" },
  "touch-leaves-clean": {
    follow: "forced-cow-dirty", dirtiers: ["touch"], isHuge: true, touchesClean: true, releases: ["4.15"], undone: "touch-dirties",
    what: "touch_pmd() makes it dirty only for FOLL_WRITE",
  },
  "continue-dirties": { follow: "forced-cow-dirty", dirtiers: ["continue"], releases: ["5.18", "6.1"], what: "UFFDIO_CONTINUE installs the page dirty (CVE-2022-2590)" },
  exclusive: {
    follow: "exclusive", dirtiers: ["touch", "continue"], releases: ["6.1"], undone: "continue-dirties",
    what: "the page is anonymous and exclusive, whoever makes its entry dirty",
  },
};

const fixedVariants = new Set(["foll-cow", "touch-leaves-clean", "exclusive"]);

/** `/proc/self/mem` is written: GUP forces its way into a mapping that may not be written. */
function addWriter(model: ModelBuilder, world: ForcedWorld, follow: Follow): void {
  const writer = model.thread("write to /proc/self/mem", "review");
  const { page } = addForcedGup(writer, world, { force: true, follow });
  const stores = writer.step({
    text: "the kernel writes to the page",
    checks: [{ holds: isOwn(world, page), property: "foreign-write", message: `a process that may only read the ${world.memory.names[0]} has written to it` }],
  });
  model.reach(writer, stores, "the kernel writes");
}

function addDontneed(model: ModelBuilder, world: ForcedWorld): void {
  const thread = model.thread("madvise(MADV_DONTNEED)", "environment");
  const step = thread.step({ text: `${world.memory.behavior.names.zap}: the page is unmapped`, guard: isMapped(world.at.pte), effect: [...zap(world.memory, world.at), assign(world.dirty, 0)] });
  model.reach(thread, step, "the page is unmapped");
}

/** Another thread reads through GUP: the read fault maps the file, and FOLL_TOUCH marks the entry. */
function addTouch(model: ModelBuilder, world: ForcedWorld, leavesClean: boolean): void {
  const thread = model.thread("read of /proc/self/mem", "environment");
  thread.step({
    text: "faultin_page(): read fault",
    alternatives: [{ guard: isNone(world.at.pte), effect: mapFile(world) }, { guard: isMapped(world.at.pte), note: "mapped already" }],
  });
  const step = thread.step({
    text: `touch_pmd(): pmd_mkyoung()${leavesClean ? "" : ", pmd_mkdirty()"}`,
    guard: isMapped(world.at.pte),
    effect: leavesClean ? [] : [assign(world.dirty, 1)],
  });
  model.reach(thread, step, "a read touches the entry");
}

function addContinue(model: ModelBuilder, world: ForcedWorld): void {
  const thread = model.thread("ioctl(UFFDIO_CONTINUE)", "environment");
  const step = thread.step({
    text: "mfill_atomic_install_pte(): maps the page of the file, dirty",
    alternatives: [{ guard: isNone(world.at.pte), effect: mapFile(world, 1) }, { guard: isMapped(world.at.pte), to: "END", note: "-EEXIST" }],
  });
  model.reach(thread, step, "the page of the file is installed");
}

/** The model of a variant; the era decides only what a reader sees of the pages. */
export function dirtyCow(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`dirty-cow, ${variant}`);
  const memory = privateMemory(model, era, {
    kind: told.isHuge ? "thp" : "order-0",
    names: [told.isHuge ? "huge zero page" : "page of the file", "Y", "Z", "W"],
    firstIsForeign: true,
  });
  const world: ForcedWorld = { memory, at: addressSpace(memory, "A", 0), dirty: dirtyBit(model) };
  addWriter(model, world, told.follow);
  addDontneed(model, world);
  if (told.dirtiers.includes("touch")) addTouch(model, world, told.touchesClean ?? false);
  if (told.dirtiers.includes("continue")) addContinue(model, world);
  return model.finish();
}

/** COW is broken, the copy is thrown away, and what GUP remembers of the fault makes it take the page of the file. */
export const dirtyCowScenario: CatalogueScenario = {
  id: "dirty-cow",
  rules: ["gup-cow-break-missing"],
  title: "a forced write to a private read-only mapping while MADV_DONTNEED throws the copy away",
  sources: ["19be0eaffa3a (4.9): CVE-2016-5195", "a8f97366452e (4.15): CVE-2017-1000405", "5535be309971 (6.0): CVE-2022-2590", "mm/gup.c:506-541 (6.1.192)"],
  properties: ["foreign-write"],
  deadlock: false,
  livelock: null,
  variants: Object.entries(TOLD).map(([id, { what, undone }]) => ({ id, what, isFixed: fixedVariants.has(id), ...(undone === undefined ? {} : { undone }) })),
  axes: { eras: [], releases: ["4.8", "4.9", "4.14", "4.15", "5.18", "6.1"], byArchitecture: false },
  build: ({ variant, release, era }) => (TOLD[variant]?.releases.includes(`${release.major}.${release.minor}`) ? dirtyCow(variant, ERAS[era]) : null),
  expected: ({ variant }) => (fixedVariants.has(variant) ? "pass" : "fail"),
};
