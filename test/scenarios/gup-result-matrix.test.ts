// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { ERAS, type EraBehavior, type GupEra } from "../../server/kernel/era.ts";
import { decideScenario, scheduleOf, settingsOf } from "../../server/scenarios/catalogue/decide.ts";
import { deferredFlushCopy, deferredFlushCopyScenario } from "../../server/scenarios/catalogue/cow/deferred-flush-copy.ts";
import { forkAfterPin, forkAfterPinScenario } from "../../server/scenarios/catalogue/cow/fork-after-pin.ts";
import { gupFastFork, gupFastForkScenario } from "../../server/scenarios/catalogue/cow/gup-fast-fork.ts";
import { pinAfterFork, pinAfterForkScenario } from "../../server/scenarios/catalogue/cow/pin-after-fork.ts";
import type { CatalogueScenario } from "../../server/scenarios/catalogue/scenario.ts";
import { swappedPinScenario } from "../../server/scenarios/catalogue/cow/swapped-pin.ts";
import { unprotectPinned, unprotectPinnedScenario } from "../../server/scenarios/catalogue/cow/unprotect-pinned.ts";
import { vmspliceLeak, vmspliceLeakScenario } from "../../server/scenarios/catalogue/cow/vmsplice-leak.ts";
import { writeProtectPinnedScenario } from "../../server/scenarios/catalogue/cow/write-protect-pinned.ts";
import { zeroPageLongterm, zeroPageLongtermScenario } from "../../server/scenarios/catalogue/cow/zero-page-longterm.ts";
import { pinnedBuffer } from "../../server/scenarios/catalogue/cow/pinned-buffer.ts";
import { explore } from "../../server/simulator/explore.ts";
import type { Model } from "../../server/simulator/model.ts";

/*
 * The result matrix of copy-on-write, GUP, fork and pins over the eras. The table is written by hand; what stands in it comes
 * from exploring models of which only the era's data differs.
 */

const COLUMNS = ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6"] as const satisfies readonly GupEra[];

/** B: bad, -: no schedule fails, n/a: not the code of that era. */
type Cell = "B" | "-" | "n/a" | "vacuous" | "unknown";

const cellOf = (scenario: CatalogueScenario, model: Model): Cell => {
  const { verdict } = decideScenario(scenario, model);
  return verdict === "fail" ? "B" : verdict === "pass" ? "-" : verdict;
};

/** What the catalogue's own settings say. */
function row(scenario: CatalogueScenario, variant: string): string {
  const settings = settingsOf(scenario);
  return COLUMNS.map((era) => {
    const setting = settings.find((one) => one.variant === variant && one.era === era);
    const model = setting && scenario.build(setting);
    return model ? cellOf(scenario, model) : "n/a";
  }).join(" ");
}

describe("result matrix", () => {
  test.each<[string, string, CatalogueScenario, readonly string[]]>([
    //                                       E0 E1 E2 E3 E3b E4 E5 E6
    ["S1 PIN R/O", /*                    */ "-  -  B  B  B  B  -  -", pinAfterForkScenario, ["pin-read"]],
    ["S1 GET R/O", /*                    */ "-  -  B  B  B  B  B  B", pinAfterForkScenario, ["get-read"]],
    ["S1 any WRITE", /*                  */ "-  -  -  -  -  -  -  -", pinAfterForkScenario, ["pin-write", "get-write"]],
    ["S1, B alive at 3-5, PIN R/O", /*   */ "B  -  B  B  B  B  -  -", pinAfterForkScenario, ["pin-read-child-alive"]],
    ["S1b PIN WRITE, B quits", /*        */ "-  -  B  -  -  -  -  -", forkAfterPinScenario, ["pin-child-exits"]],
    ["S1b PIN WRITE, B alive", /*        */ "B  B  B  -  -  -  -  -", forkAfterPinScenario, ["pin-child-alive"]],
    ["S1b GET WRITE, B quits", /*        */ "-  -  B  B  B  B  B  B", forkAfterPinScenario, ["get-child-exits"]],
    ["S1b GET WRITE, B alive", /*        */ "B  B  B  B  B  B  B  B", forkAfterPinScenario, ["get-child-alive"]],
    ["S1b + DONTFORK", /*                */ "-  -  -  -  -  -  -  -", forkAfterPinScenario, ["get-dontfork"]],
    ["S2 order-0", /*                    */ "B  -  -  -  -  -  -  -", vmspliceLeakScenario, ["order-0"]],
    ["S2 THP", /*                        */ "B  -  B  B  B  -  -  -", vmspliceLeakScenario, ["thp"]],
    ["S2 hugetlb", /*                    */ "B  -  B  B  B  B  B  B", vmspliceLeakScenario, ["hugetlb"]],
    ["S4", /*                            */ "B  B  B  B  B  B  B  B", writeProtectPinnedScenario, ["uffd-wp", "mprotect"]],
    ["S8", /*                            */ "B  -  B  B  B  B  B  -", zeroPageLongtermScenario, ["zero-page", "private-file"]],
  ])("%s", (_name, cells, scenario, variants) => {
    for (const variant of variants) expect(row(scenario, variant), variant).toBe(cells.replaceAll(/ +/g, " "));
  });

  test("S3: from E3 on; before, fork protects nothing, so that the race is one of many ways to lose the pin", () => {
    expect(row(gupFastForkScenario, "no-seqcount")).toBe("n/a n/a n/a B n/a n/a n/a n/a");
    expect(row(gupFastForkScenario, "seqcount")).toBe("n/a n/a n/a n/a - - - -");
    expect(COLUMNS.slice(0, 3).map((era) => cellOf(gupFastForkScenario, gupFastFork("no-seqcount", ERAS[era])))).toEqual(["B", "B", "B"]);
  });

  test("S3, hugetlb: without the sequence counter up to 5.18", () => {
    expect(row(gupFastForkScenario, "hugetlb-no-seqcount")).toBe("n/a n/a n/a n/a B B n/a n/a");
    expect(row(gupFastForkScenario, "hugetlb-seqcount")).toBe("n/a n/a n/a n/a n/a n/a - -");
  });

  test("S10: rare in E0 and E1, which means that it takes a second mapping; in E3b until 5.12", () => {
    expect(row(deferredFlushCopyScenario, "copy-at-once")).toBe("- - B B B n/a n/a n/a");
    expect(row(deferredFlushCopyScenario, "mapped-twice")).toBe("B B n/a n/a n/a n/a n/a n/a");
    expect(row(deferredFlushCopyScenario, "flush-first")).toBe("n/a n/a n/a n/a - - n/a n/a");
    expect(row(deferredFlushCopyScenario, "exclusive-page")).toBe("n/a n/a n/a n/a n/a n/a - -");
  });

  test("S1b + DONTFORK keeps pins as it keeps references, whatever the child does", () => {
    for (const era of COLUMNS)
      for (const child of ["exits", "stays"] as const) {
        const model = pinnedBuffer({ name: "dontfork", era: ERAS[era], request: { write: true, pin: true }, order: "pin-first", child, advice: "dontfork" });
        expect(cellOf(forkAfterPinScenario, model), `${era}, child ${child}`).toBe("-");
      }
  });

  test("what is not asserted is in a list", () => {
    const all = [pinAfterForkScenario, forkAfterPinScenario, vmspliceLeakScenario, writeProtectPinnedScenario, zeroPageLongtermScenario, gupFastForkScenario, deferredFlushCopyScenario, unprotectPinnedScenario, swappedPinScenario];
    const uncertain = all.flatMap((scenario) =>
      settingsOf(scenario)
        .filter((setting) => scenario.build(setting) !== null && scenario.expected(setting) === "uncertain")
        .map(({ variant, era }) => `${scenario.id} ${variant} ${era}`),
    );
    expect(uncertain).toEqual([
      "swapped-pin pin E0", "swapped-pin pin E1",
      "swapped-pin get E0", "swapped-pin get E1", "swapped-pin get E3b", "swapped-pin get E4", "swapped-pin get E5", "swapped-pin get E6", "swapped-pin get E7",
      "swapped-pin pin-during-reclaim E3b", "swapped-pin pin-during-reclaim E4",
    ]);
  });
});

type Build = (era: EraBehavior) => Model;

/** A cell that is safe, and the data of its era that makes it so, set to what another era did. */
const REASONS: readonly (readonly [name: string, eras: readonly GupEra[], without: Partial<EraBehavior>, scenario: CatalogueScenario, build: Build])[] = [
  ["S1 PIN R/O: mapcount", ["E0"], { anonReuse: "refcount" }, pinAfterForkScenario, (era) => pinAfterFork("pin-read", era)],
  ["S1 PIN R/O: mapcount, forced write", ["E1"], { anonReuse: "refcount", readOnlyGup: "as-mapped" }, pinAfterForkScenario, (era) => pinAfterFork("pin-read", era)],
  ["S1 PIN R/O: unsharing", ["E5", "E6", "E7"], { readOnlyGup: "as-mapped" }, pinAfterForkScenario, (era) => pinAfterFork("pin-read", era)],
  ["S1 GET R/O: mapcount", ["E0"], { anonReuse: "refcount" }, pinAfterForkScenario, (era) => pinAfterFork("get-read", era)],
  ["S1, B alive: forced write", ["E1"], { readOnlyGup: "as-mapped" }, pinAfterForkScenario, (era) => pinAfterFork("pin-read-child-alive", era)],
  ["S1, B alive: unsharing", ["E5", "E6", "E7"], { readOnlyGup: "as-mapped" }, pinAfterForkScenario, (era) => pinAfterFork("pin-read-child-alive", era)],
  ["S1b, B quits: mapcount", ["E0", "E1"], { anonReuse: "refcount" }, forkAfterPinScenario, (era) => forkAfterPin("pin-child-exits", era)],
  ["S1b, B quits: early copy", ["E3", "E3b", "E4", "E5", "E6", "E7"], { forkProtection: "none" }, forkAfterPinScenario, (era) => forkAfterPin("pin-child-exits", era)],
  ["S1b, B alive: early copy", ["E3", "E3b", "E4", "E5", "E6", "E7"], { forkProtection: "none" }, forkAfterPinScenario, (era) => forkAfterPin("pin-child-alive", era)],
  ["S2 order-0: forced write", ["E1"], { readOnlyGup: "as-mapped" }, vmspliceLeakScenario, (era) => vmspliceLeak("order-0", era)],
  ["S2 order-0: refcount", ["E2", "E3", "E3b", "E4", "E5", "E6", "E7"], { anonReuse: "mapcount" }, vmspliceLeakScenario, (era) => vmspliceLeak("order-0", era)],
  ["S2 THP: refcount", ["E4", "E5", "E6", "E7"], { thpReuse: "mapcount" }, vmspliceLeakScenario, (era) => vmspliceLeak("thp", era)],
  ["S2 hugetlb: forced write", ["E1"], { readOnlyGup: "as-mapped" }, vmspliceLeakScenario, (era) => vmspliceLeak("hugetlb", era)],
  ["unprotected: mapcount", ["E0", "E1"], { anonReuse: "refcount" }, unprotectPinnedScenario, (era) => unprotectPinned(true, era)],
  ["unprotected: exclusive", ["E5", "E6", "E7"], { anonReuse: "refcount-drop-caches" }, unprotectPinnedScenario, (era) => unprotectPinned(true, era)],
  ["S8: forced write", ["E1"], { readOnlyGup: "as-mapped" }, zeroPageLongtermScenario, (era) => zeroPageLongterm("zero-page", era)],
  ["S8: unsharing of other pages", ["E6", "E7"], { readOnlyGup: "unshare-pin" }, zeroPageLongtermScenario, (era) => zeroPageLongterm("zero-page", era)],
  ["S10: mapcount", ["E0", "E1"], { anonReuse: "refcount" }, deferredFlushCopyScenario, (era) => deferredFlushCopy("copy-at-once", era)],
  ["S10: exclusive", ["E5", "E6", "E7"], { anonReuse: "refcount-drop-caches" }, deferredFlushCopyScenario, (era) => deferredFlushCopy("exclusive-page", era)],
];

describe("a safe cell is bad without what the era does for it", () => {
  test.each(REASONS)("%s", (_name, eras, without, scenario, build) => {
    for (const era of eras) expect([cellOf(scenario, build(ERAS[era])), cellOf(scenario, build({ ...ERAS[era], ...without }))], era).toEqual(["-", "B"]);
  });
});

describe("seed 001", () => {
  const setting = settingsOf(forkAfterPinScenario).find(({ variant, era }) => variant === "pin-any-order" && era === "E2")!;
  const model = forkAfterPinScenario.build(setting)!;

  test("that a pin may precede the fork is found without being told", () => {
    const { violation, verdict } = explore(model, { maxStates: 10_000 });
    expect([verdict, violation?.property]).toEqual(["fail", "lost-dma"]);
    const steps = scheduleOf(forkAfterPinScenario, model)!.steps.map(({ text }) => text);
    const pinned = steps.findIndex((text) => text.includes("try_grab_page(FOLL_PIN | FOLL_WRITE)"));
    const shared = steps.findIndex((text) => text.startsWith("copy_one_pte()"));
    expect(pinned).toBeGreaterThanOrEqual(0);
    expect(shared).toBeGreaterThan(pinned);
    expect(steps).not.toContain("exit_mmap(B)");
  });

  test("both orders are confirmed by numbered lists", () => {
    const confirmed = [pinAfterForkScenario, forkAfterPinScenario].flatMap(({ orders = [] }) => orders.filter(({ expected }) => expected === "fail").map(({ source }) => source));
    expect(confirmed).toEqual(["Peter Xu, six steps, in E2", "Peter Xu, six steps, in E4", "Jason Gunthorpe, the pin precedes the fork, in E2"]);
  });
});
