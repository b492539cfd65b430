// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { CATALOGUE } from "../../server/scenarios/catalogue/catalogue.ts";
import { folderOf, patchwalk } from "./run-command.ts";

const NAME = "hugetlb-vma-lock-order";

describe("simulate", () => {
  test("lists every scenario with its variants", async () => {
    const { status, out, err } = await patchwalk(["simulate"]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const { id, variants } of CATALOGUE) expect(out).toMatch(new RegExp(`^${id}\\n[^]*${variants[0]?.id}`, "m"));
    expect(JSON.parse((await patchwalk(["simulate", "--format", "json"])).out).scenarios).toHaveLength(CATALOGUE.length);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("a failing variant with its schedule, and the fix", async () => {
    const { status, out } = await patchwalk(["simulate", NAME]);
    expect(status).toBe(1);
    expect(out).toContain(`
  try_to_unmap_one()                 munmap()
  --------------------------------   -------------------------------------------
  i_mmap_lock_write(mapping)
                                     hugetlb_vma_lock_write(vma)
  hugetlb_vma_lock_write(vma) [waits for ever]
                                     i_mmap_lock_write(mapping) [waits for ever]
  *** nothing can move: try_to_unmap_one() waits for ever at
      hugetlb_vma_lock_write(vma), munmap() waits at i_mmap_lock_write(mapping)
`);
    expect(out).toMatch(/PASS: no schedule of this model fails \(all 20 states, 26 transitions\); without\s+the fix it fails/);
    const fixed = await patchwalk(["simulate", "--scenario", NAME, "--variant", "fixed"]);
    expect(fixed.status).toBe(0);
    expect(fixed.out).not.toContain("FAIL");
  });

  test("the same bytes every time, as text and as JSON", async () => {
    for (const format of ["text", "json"]) {
      const [one, two] = [await patchwalk(["simulate", NAME, "--format", format]), await patchwalk(["simulate", NAME, "--format", format])];
      expect(two).toEqual(one);
    }
    const { simulations } = JSON.parse((await patchwalk(["simulate", NAME, "--format", "json"])).out);
    expect(simulations[0]).toMatchObject({ variant: "blocking", verdict: "fail", property: "deadlock", switches: 1 });
    expect(simulations[1]).toMatchObject({ variant: "trylock", verdict: "pass", withoutFix: "fail", schedule: [] });
  });

  test.each([
    ["notifier-missing-end", "memslots", "a memory slot is changed; the common exit ends the invalidation"],
    ["notifier-refused-by-another", "list-kvm", "a subscriber on the list refuses; KVM counts; the refusal is returned"],
    ["hugetlb-pmd-unshare", "none-ptl", "hugetlb VMA lock from before the lookup to after the use; the table's lock is taken"],
  ])("%s, %s: what mends it is the same with the fix, and not another variant", async (scenario, variant, title) => {
    const { simulations } = JSON.parse((await patchwalk(["simulate", scenario, "--variant", variant, "--format", "json"])).out);
    expect(simulations).toMatchObject([{ verdict: "fail", fixed: { title, verdict: "pass", mutationFails: true } }]);
  });

  test("what mends another variant as well is said to be needed where that was explored", async () => {
    const { simulations } = JSON.parse((await patchwalk(["simulate", "hugetlb-pmd-unshare", "--variant", "rcu-deref", "--format", "json"])).out);
    expect(simulations).toMatchObject([{ verdict: "fail", fixed: { verdict: "pass", mutationFails: true } }]);
  });

  test("what if the caller holds the lock?", async () => {
    const { status, out } = await patchwalk(["simulate", NAME, "--variant", "blocking", "--assume-held", "hugetlb_vma_lock (write)"]);
    expect(status).toBe(1);
    expect(out).toContain("caller takes hugetlb_vma_lock (write)");
    expect(await patchwalk(["simulate", NAME, "--assume-held", "no_such"])).toEqual({
      status: 2, out: "", err: "patchwalk: no lock is called 'no_such' here; there are i_mmap_rwsem (read), i_mmap_rwsem (write), hugetlb_vma_lock (read), hugetlb_vma_lock (write); see patchwalk --help\n",
    });
  });

  test("a lock that only some variants take is held in those", async () => {
    const { simulations } = JSON.parse((await patchwalk(["simulate", "notifier-sleeps-under-map", "--assume-held", "RCU readers", "--format", "json"])).out);
    expect(simulations.map(({ variant }: { variant: string }) => variant)).toEqual(["start-under-map-silent", "outside", "outside-silent"]);
    expect(simulations[1]).toMatchObject({ verdict: "fail", property: "sleep-in-atomic" });
  });

  test("a fix is not needed where the callers hold the lock: it is said what they hold, and nothing of a failure without it", async () => {
    const argv = ["simulate", "hugetlb-pmd-unshare", "--variant", "vma-lock-deref"];
    expect((await patchwalk(argv)).out.replace(/\s+/g, " ")).toContain("without the fix it fails");
    const held = [...argv, "--assume-held", "i_mmap_rwsem (read)"];
    const { status, out } = await patchwalk(held);
    expect(status).toBe(0);
    expect(out).toContain("callers hold i_mmap_rwsem (read)");
    expect(out).not.toMatch(/without\s+the\s+fix/);
    const { simulations } = JSON.parse((await patchwalk([...held, "--format", "json"])).out);
    expect(simulations).toMatchObject([{ verdict: "pass", withoutFix: "pass", what: expect.stringMatching(/, callers hold i_mmap_rwsem \(read\)$/) }]);
  });

  test("a budget gives up, and says so", async () => {
    const { status, out } = await patchwalk(["simulate", NAME, "--variant", "fixed", "--max-states", "3"]);
    expect(status).toBe(2);
    expect(out).toContain("UNKNOWN: cut short after 3 states");
  });

  test("where a budget gives up, an export does not say that nothing fails", async () => {
    const argv = ["simulate", "hugetlb-pmd-unshare", "--variant", "none-deref", "--max-states", "4", "--export", "itf"];
    expect(await patchwalk(argv)).toEqual({
      status: 2, out: "", err: "patchwalk: none-deref was cut short after 4 states: there is no schedule to export; see patchwalk --help\n",
    });
  });

  test.each([
    [["nothing"], "no scenario is called 'nothing'; patchwalk simulate lists them"],
    [[NAME, "--variant", "x"], `${NAME} has no variant x; it has blocking, trylock, in-order`],
    [[NAME, "second"], "simulate takes one scenario"],
    [["--step"], "--step needs a scenario"],
    [[NAME, "--era", "E9"], "--era takes E0, E1, E2, E3, E3b, E4, E5, E6, E7; not 'E9'"],
    [[NAME, "--max-states", "0"], "--max-states takes a number from 1 to 20000000; not '0'"],
    [["x\u001b[2J"], "no scenario is called 'x<U+001B>[2J'; patchwalk simulate lists them"],
  ])("%j", async (argv, reason) => {
    expect(await patchwalk(["simulate", ...argv])).toEqual({ status: 2, out: "", err: `patchwalk: ${reason}; see patchwalk --help\n` });
  });

  test("what is behind a finding: the failing model and the fixed one", async () => {
    const file = join(import.meta.dirname, "../../docs/examples", readdirSync(join(import.meta.dirname, "../../docs/examples")).find((name) => name.startsWith("0001")) ?? "");
    const linted = await patchwalk(["lint", "--format", "json", file], { engine: ENGINE });
    const finding = JSON.parse(linted.out).inputs[0].findings.find((one: { tier: string }) => one.tier === "proved");
    const { status, out } = await patchwalk(["simulate", "--finding", finding.fingerprint.slice(0, 8), file, "--format", "json"], { engine: ENGINE });
    expect(status).toBe(1);
    const [buggy, fixed] = JSON.parse(out).simulations;
    expect(buggy).toMatchObject({ verdict: "fail", states: finding.evidence.states, property: finding.evidence.property, schedule: finding.evidence.schedule });
    expect(fixed).toMatchObject({ verdict: "pass", states: finding.evidence.fixed.states, withoutFix: "fail" });
    expect((await patchwalk(["simulate", "--finding", "0000", file], { engine: ENGINE })).err).toMatch(/^patchwalk: no single finding has the fingerprint '0000'; there are [0-9a-f, ]+;/);
    expect((await patchwalk(["simulate", "--finding", "0000", "/nowhere"], { engine: ENGINE })).err).toMatch(/\/nowhere cannot be read/);
    expect((await patchwalk(["simulate", "--finding", "xyz", file], { engine: ENGINE })).status).toBe(2);
  });

  describe("what if the caller holds a lock, for a finding of a file", () => {
    const file = join(folderOf({ "toy.c": `
static bool toy_is_none(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
{
	bool none = true;
	pte_t *ptep;

	mmap_read_lock(mm);
	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
	if (ptep)
		none = huge_pte_none(huge_ptep_get(ptep));
	mmap_read_unlock(mm);
	return none;
}
` }), "toy.c");
    const asked = async (lock: string, ...more: string[]) => {
      const { out } = await patchwalk(["lint", "--release", "6.1", "--format", "json", file], { engine: ENGINE });
      const fingerprint: string = JSON.parse(out).inputs[0].findings[0].fingerprint;
      return patchwalk(["simulate", "--finding", fingerprint, "--release", "6.1", "--variant", "buggy", "--assume-held", lock, ...more, file], { engine: ENGINE });
    };

    test.each(["i_mmap_rwsem (read)", "i_mmap_rwsem (write)", "i_mmap_rwsem", "I_MMAP_RWSEM", "hugetlb_vma_lock (read)", "hugetlb vma lock(A) (write)"])("%s: the failing schedule stops", async (lock) => {
      const { status, out } = await asked(lock);
      expect(status).toBe(0);
      expect(out.replace(/\s+/g, " ")).toMatch(/held by the caller no schedule of this scenario fails \(all \d+ states, \d+ transitions\) the failing schedule stops (?:at step \d+ of \d+, )?at "hole punch of the file: [^"]*", which waits for [^,]*, held by the caller of toy_is_none\(\) covers environment {/);
    });

    test("a lock that only the function takes does not help: the new schedule", async () => {
      const { status, out } = await asked("mmap_lock (read)");
      expect(status).toBe(1);
      expect(out).toContain("caller takes mmap_lock(A) (read)");
      expect(out.replace(/\s+/g, " ")).toMatch(/it still fails \(\d+ states, \d+ transitions up to the first failure; no other thread of this scenario takes it\) the failing schedule goes through as before/);
    });

    test("a lock that the function takes itself: it waits for its caller", async () => {
      const { status, out } = await asked("mmap_lock (write)");
      expect(status).toBe(1);
      expect(out).toContain("FAIL: deadlock");
      expect(out.replace(/\s+/g, " ")).toMatch(/it does not get that far: it deadlocks .* stops at step 1 of \d+, at "toy_is_none\(\): mmap_read_lock\(mm\)", which waits for mmap_lock\(A\), held by the caller of toy_is_none\(\)/);
    });

    test("a lock that no thread takes changes nothing, and that is the answer", async () => {
      for (const lock of ["folio_lock", "ptl", "anon_vma (write)"]) {
        const { status, out } = await asked(lock);
        expect(status).toBe(1);
        expect(out).toContain("no thread of this scenario takes it: it changes nothing");
      }
    });

    test("a lock that nobody knows: those that there are", async () => {
      expect(await asked("no_such (read)")).toMatchObject({
        status: 2, err: expect.stringMatching(/^patchwalk: no lock is called 'no_such' here; there are mmap_lock\(A\) \(read\), mmap_lock\(A\) \(write\), i_mmap_rwsem \(read\), /),
      });
    });

    test("JSON has the answer, what it covers and what it rests on", async () => {
      const { simulations } = JSON.parse((await asked("i_mmap_rwsem (read)", "--format", "json")).out);
      expect(simulations[0]).toMatchObject({
        verdict: "pass", bounds: expect.stringContaining("environment {hole punch"), assumptions: [],
        assumeHeld: { lock: "i_mmap_rwsem (read)", outcome: "pass", takenBy: ["hole punch of the file", "munmap() in process B"], heldBy: "toy_is_none()", replay: { waitsFor: ["i_mmap_rwsem"] } },
      });
    });
  });

  test("exports of one variant", async () => {
    const variant = ["simulate", NAME, "--variant", "blocking"];
    expect((await patchwalk([...variant, "--export", "promela"])).out).toContain("active proctype");
    expect(JSON.parse((await patchwalk([...variant, "--export", "itf"])).out)["#meta"]).toMatchObject({ format: "ITF" });
    expect((await patchwalk([...variant, "--export", "mermaid"])).out).toMatch(/^sequenceDiagram\n/);
    const svg = await patchwalk([...variant, "--export", "svg"]);
    expect(svg.out).toMatch(/^<svg [^]*try_to_unmap_one[^]*<\/svg>\s*$/);
    expect(svg.out.match(/class="sign blocked-line"/g)).toHaveLength(2);
    expect(svg.out).not.toMatch(/<script|javascript:/);
    expect((await patchwalk(["simulate", NAME, "--variant", "trylock", "--export", "itf"])).err).toMatch(/trylock does not fail: there is no schedule to export/);
    expect((await patchwalk(["simulate", NAME, "--export", "svg"])).err).toMatch(/--export takes one of blocking, /);
  });

  test("how often it fails, and why the fix works", async () => {
    const { out } = await patchwalk(["simulate", "hugetlb-pmd-unshare", "--variant", "none-deref"]);
    expect(out.replace(/\s+/g, " ")).toMatch(/fails in [\d,]+ of [\d,]+ schedules, \d+ of \d+ that differ in more than the order of independent steps/);
    expect(out.replace(/\s+/g, " ")).toMatch(/with "[^"]*" the schedule stops at "[^"]*", held by: /);
  });

  test.each([
    ["notifier-missing-end", "memslots", "memslots-ended"],
    ["notifier-refused-by-another", "list-kvm", "list-kvm-checked"],
    ["hugetlb-pmd-unshare", "none-ptl", "vma-lock-ptl"],
    ["hugetlb-pmd-unshare", "none-deref-migration", "i-mmap-deref-migration"],
    ["hugetlb-pmd-unshare", "released-ptl", "i-mmap-ptl"],
    ["unpin-of-reference", "get-unpin", "get-put"],
    ["swapped-pin", "pin-during-reclaim", null],
    ["gup-fast-fork", "hugetlb-no-seqcount", null],
  ])("%s, %s: the fix that is shown is one of the same code among the same others: %s", async (scenario, variant, remedy) => {
    const { simulations } = JSON.parse((await patchwalk(["simulate", scenario, "--variant", variant, "--format", "json"])).out);
    const what = CATALOGUE.find(({ id }) => id === scenario)?.variants.find(({ id }) => id === remedy)?.what;
    expect(simulations[0].fixed?.title).toBe(what);
  });

  test.each([
    ["vmsplice-leak", "order-0", "5.7", "down_read(&B->mmap_sem)", "mmap_read_lock"],
    ["gup-fast-fork", "no-seqcount", "5.10", "try_grab_compound_head(FOLL_PIN | FOLL_WRITE)", "try_grab_folio"],
    ["pinned-check-before-clear", "check-first-move", "6.1", "pte_val(pte) != pte_val(*ptep)", "ptep_get(ptep)"],
    ["pinned-check-before-clear", "check-first-move", "6.12", "gup_fast_pte_range(): pte = ptep_get_lockless(ptep)", "gup_pte_range"],
  ])("%s, %s: functions have their names of %s", async (scenario, variant, release, name, other) => {
    const { simulations } = JSON.parse((await patchwalk(["simulate", scenario, "--variant", variant, "--release", release, "--format", "json"])).out);
    const steps = simulations[0].schedule.map(({ step }: { step: string }) => step).join("\n");
    expect(steps).toContain(name);
    expect(steps).not.toContain(other);
  });

  test("stepping follows the failing schedule, other steps, and goes back", async () => {
    const { status, out } = await patchwalk(["simulate", NAME, "--variant", "buggy", "--step"], { stdin: "\nb\n2\n7\n\n\nq\n" });
    expect(status).toBe(0);
    expect(out.split("\n").filter((line) => !line.includes("a number takes"))).toEqual([
      `${NAME}, blocking: the hugetlb VMA lock taken inside i_mmap_rwsem`,
      "> 1  try_to_unmap_one(): i_mmap_lock_write(mapping)",
      "  2  munmap(): hugetlb_vma_lock_write(vma)",
      "?   try_to_unmap_one(): i_mmap_lock_write(mapping)  [i_mmap_rwsem: free -> writer]",
      "  1  try_to_unmap_one(): hugetlb_vma_lock_write(vma)",
      "> 2  munmap(): hugetlb_vma_lock_write(vma)",
      "?   one step back",
      "> 1  try_to_unmap_one(): i_mmap_lock_write(mapping)",
      "  2  munmap(): hugetlb_vma_lock_write(vma)",
      "?   munmap(): hugetlb_vma_lock_write(vma)  [hugetlb_vma_lock: free -> writer]",
      "> 1  try_to_unmap_one(): i_mmap_lock_write(mapping)",
      "  2  munmap(): i_mmap_lock_write(mapping)",
      "> 1  try_to_unmap_one(): i_mmap_lock_write(mapping)",
      "  2  munmap(): i_mmap_lock_write(mapping)",
      "?   try_to_unmap_one(): i_mmap_lock_write(mapping)  [i_mmap_rwsem: free -> writer]",
      "     try_to_unmap_one() waits: hugetlb_vma_lock_write(vma)",
      "     munmap() waits: i_mmap_lock_write(mapping)",
      "nothing can move",
      "     try_to_unmap_one() waits: hugetlb_vma_lock_write(vma)",
      "     munmap() waits: i_mmap_lock_write(mapping)",
      "nothing can move",
      "? ",
      "",
    ]);
  });
});
