// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { unitOf } from "../../server/analysis/unit.ts";
import { gupEra, type GupEra } from "../../server/kernel/era.ts";
import { parseRelease, type Release } from "../../server/kernel/release.ts";
import type { EffectProgram } from "../../server/program/program.ts";
import type { Experiment } from "../../server/scenarios/experiment.ts";
import { childExits, drop, fork, grab, gupFaults, isReady, pageOf, privateMapping, store } from "../../server/scenarios/gup-era.ts";
import { isProved, prove } from "../../server/scenarios/prove.ts";
import { readOnlyPinLost } from "../../server/scenarios/read-only-pin-lost.ts";
import { walkerWithoutUnshare } from "../../server/scenarios/walker-without-unshare.ts";
import { zeroPagePin } from "../../server/scenarios/zero-page-pin.ts";
import { modelBuilder } from "../../server/simulator/build.ts";
import { assign } from "../../server/simulator/effect.ts";
import { eq, FALSE, TRUE } from "../../server/simulator/expression.ts";
import { explore } from "../../server/simulator/explore.ts";
import { imageOfFile } from "../../server/source/image.ts";

/** A release per era; no release was E2, which lived in the candidates of 5.9. */
const ERAS: readonly (readonly [era: GupEra, release: string])[] = [
  ["E0", "5.7"],
  ["E1", "5.8"],
  ["E2", "5.9"],
  ["E3", "5.10"],
  ["E3b", "5.15"],
  ["E4", "5.18"],
  ["E5", "6.1"],
  ["E6", "6.2"],
  ["E7", "6.6"],
];

const release = (text: string): Release => {
  const parsed = parseRelease(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

/** A driver that keeps what it pinned. */
const driver = (call: string): string => `
static int toy_pin(struct toy_buf *buf, unsigned long addr, int nr)
{
	int ret;

	ret = ${call};
	if (ret < 0)
		return ret;
	if (ret != nr) {
		toy_release(buf);
		return -EFAULT;
	}
	buf->nr = nr;
	return 0;
}
`;

function pinIn(call: string, target: Release): { program: EffectProgram; node: number } {
  const program = unitOf([imageOfFile("drivers/toy.c", driver(call))], target).programs[0];
  const node = program?.nodes.findIndex((one) => one.kind === "call" && one.effects.some((effect) => effect.kind === "gup")) ?? -1;
  if (!program || node < 0) throw new Error("no pin");
  return { program, node };
}

const PIN_READ = "pin_user_pages_fast(addr, nr, FOLL_LONGTERM, buf->pages)";
const PIN_WRITE = "pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_LONGTERM, buf->pages)";
const GET_READ = "get_user_pages_fast(addr, nr, 0, buf->pages)";
const GET_WRITE = "get_user_pages_fast(addr, nr, FOLL_WRITE, buf->pages)";

type Cell = "B" | "-";
interface Row {
  readonly name: string;
  readonly call: string;
  readonly experiment: (node: number, era: GupEra) => Experiment;
  /** One cell per era, in order. */
  readonly cells: string;
}

const s1 = (child: "exited" | "alive"): Row["experiment"] => (node, era) => readOnlyPinLost({ node, era, child, device: "return" });
const s8: Row["experiment"] = (node, era) => zeroPagePin({ node, era, device: "return" });

/** Columns: E0 E1 E2 E3 E3b E4 E5 E6 E7. */
const ROWS: readonly Row[] = [
  { name: "S1 PIN R/O", call: PIN_READ, experiment: s1("exited"), cells: "- - B B B B - - -" },
  { name: "S1 GET R/O", call: GET_READ, experiment: s1("exited"), cells: "- - B B B B B B B" },
  { name: "S1 PIN WRITE", call: PIN_WRITE, experiment: s1("exited"), cells: "- - - - - - - - -" },
  { name: "S1 GET WRITE", call: GET_WRITE, experiment: s1("exited"), cells: "- - - - - - - - -" },
  { name: "S1 PIN R/O, B alive", call: PIN_READ, experiment: s1("alive"), cells: "B - B B B B - - -" },
  { name: "S1 PIN WRITE, B alive", call: PIN_WRITE, experiment: s1("alive"), cells: "- - - - - - - - -" },
  { name: "S8", call: PIN_READ, experiment: s8, cells: "B - B B B B B - -" },
  { name: "S8 WRITE", call: PIN_WRITE, experiment: s8, cells: "- - - - - - - - -" },
];

describe("result matrix of a driver's pin", () => {
  test.each(ROWS)("$name", ({ call, experiment, cells }) => {
    const found = ERAS.map(([era, text]): Cell | string => {
      const { program, node } = pinIn(call, release(text));
      const proof = prove(experiment(node, era), program, release(text), 100_000);
      if (proof.verdict === "fail") expect(isProved(proof)).toBe(true);
      return proof.verdict === "fail" ? "B" : proof.verdict === "pass" ? "-" : proof.verdict;
    });
    expect(found.join(" ")).toBe(cells);
  });

  test("every release is of the era of its column, E2 apart", () => {
    expect(ERAS.filter(([era]) => era !== "E2").every(([era, text]) => gupEra(release(text)) === era)).toBe(true);
  });
});

/** S1b: the pin comes first, then fork, then the write. Pins that ask for write access. */
function pinThenFork(era: GupEra, pin: boolean, child: "exits" | "alive"): Cell {
  const model = modelBuilder("pin then fork");
  const at = privateMapping(model, era, "anonymous");
  const device = model.field("device");
  const request = { write: TRUE, pin, longterm: FALSE };
  const thread = model.thread("process A", "review");
  thread.label("pin");
  thread.step({
    text: "pin",
    alternatives: [
      ...gupFaults(at, request).map((one) => ({ ...one, to: "pin" })),
      { guard: isReady(at, request), effect: [assign(device, pageOf(at.entry)), ...grab(at, device, pin)] },
    ],
  });
  thread.step({ text: "fork()", alternatives: fork(at) });
  if (child === "exits") thread.step({ text: "the child exits", alternatives: childExits(at) });
  thread.step({ text: "writes", alternatives: store(at) });
  thread.step({ text: "DMA", alternatives: [{ checks: [{ holds: eq(device, pageOf(at.entry)), property: "lost-dma", message: "lost" }] }] });
  thread.step({ text: "unpin", alternatives: [{ effect: drop(at, device, pin) }] });
  return explore(model.finish(), { maxStates: 1000 }).verdict === "fail" ? "B" : "-";
}

describe("result matrix of a fork after the pin (S1b)", () => {
  test.each([
    { pin: true, child: "exits", cells: "- - B - - - - - -" },
    { pin: true, child: "alive", cells: "B B B - - - - - -" },
    { pin: false, child: "exits", cells: "- - B B B B B B B" },
    { pin: false, child: "alive", cells: "B B B B B B B B B" },
  ] as const)("pin $pin, child $child", ({ pin, child, cells }) => {
    expect(ERAS.map(([era]) => pinThenFork(era, pin, child)).join(" ")).toBe(cells);
  });
});

const WALKER = `
static int toy_walk(pte_t *ptep, unsigned int flags, struct page **pagep)
{
	pte_t pte = ptep_get_lockless(ptep);
	struct folio *folio;
	struct page *page;

	page = pte_page(pte);
	folio = try_grab_folio(page, 1, flags);
	if (!folio)
		return 0;
	if (pte_val(pte) != pte_val(ptep_get_lockless(ptep))) {
		gup_put_folio(folio, 1, flags);
		return 0;
	}
	ASK
	*pagep = page;
	return 1;
}
`;

const verdictOfWalker = (text: string, target: string): string => {
  const program = unitOf([imageOfFile("mm/toy.c", WALKER.replace("ASK", text))], release(target)).programs[0];
  const node = program?.nodes.findIndex((one) => one.kind === "call" && one.effects.some((effect) => effect.kind === "grabPage")) ?? -1;
  if (!program) throw new Error("no walker");
  const proof = prove(walkerWithoutUnshare(node, release(target)), program, release(target), 100_000);
  return proof.verdict === "fail" ? (isProved(proof) ? "proved" : "fail") : proof.verdict;
};

describe("walker that is asked for a read-only pin", () => {
  test.each([
    ["6.1", "", "proved"],
    ["6.6", "", "proved"],
    ["6.1", "if (!pte_write(pte) && gup_must_unshare(flags, page)) { gup_put_folio(folio, 1, flags); return 0; }", "pass"],
    ["6.6", "if (!pte_write(pte) && gup_must_unshare(NULL, flags, page)) { gup_put_folio(folio, 1, flags); return 0; }", "pass"],
    ["6.1", "if (pte_write(pte) && gup_must_unshare(flags, page)) { gup_put_folio(folio, 1, flags); return 0; }", "proved"],
    ["6.1", "if (!pte_write(pte)) { gup_put_folio(folio, 1, flags); return 0; }", "pass"],
  ])("%s %s", (target, text, verdict) => {
    expect(verdictOfWalker(text, target)).toBe(verdict);
  });
});

describe("the value of the pinning call", () => {
  const SHORT = (test: string): string => `
static int toy_sum(unsigned long addr)
{
	struct page *page;
	int ret;

	ret = pin_user_pages_fast(addr, 1, FOLL_LONGTERM, &page);
	if (${test})
		return -EFAULT;
	unpin_user_page(page);
	return 0;
}
`;
  /** The page is always given back, so the device never gets it: nothing to find, and nothing was tested either. */
  test.each(["ret != 1", "ret < 1", "ret <= 0", "ret < 0", "1 != ret", "!(ret == 1)", "0 > ret"])("%s", (condition) => {
    const target = release("5.10");
    const program = unitOf([imageOfFile("drivers/toy.c", SHORT(condition))], target).programs[0];
    const node = program?.nodes.findIndex((one) => one.kind === "call" && one.effects.some((effect) => effect.kind === "gup")) ?? -1;
    if (!program) throw new Error("no function");
    const proof = (device: "return" | "pin"): string => prove(readOnlyPinLost({ node, device, child: "exited" }), program, target, 100_000).verdict;
    expect([proof("return"), proof("pin")]).toEqual(["vacuous", "fail"]);
  });
});
