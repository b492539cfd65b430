// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { ENGINE, type Engine } from "../../server/cli/engine.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { notifierNonblockOutsideOom } from "../../server/rules/notifier-nonblock-outside-oom.ts";
import type { Candidate, Rule } from "../../server/rules/rule.ts";
import { RULES } from "../../server/rules/registry.ts";
import type { Experiment } from "../../server/scenarios/experiment.ts";
import { prove } from "../../server/scenarios/prove.ts";
import { refusedInvalidation } from "../../server/scenarios/refused-invalidation.ts";
import { FALSE } from "../../server/simulator/expression.ts";
import { folderOf, patchwalk } from "../cli/run-command.ts";

/** Nothing but the scenario's subscribers can keep a mapping, says this one. */
const COMPLETE: Experiment = { ...refusedInvalidation, complete: refusedInvalidation.primary };

/** A rule about the bad state itself: a mapping that is left behind. */
const ruleOf = (experiment: Experiment, part: { readonly refutable?: true; readonly asks?: true } = { refutable: true }): Rule => ({
  meta: { ...notifierNonblockOutsideOom.meta, id: "stale-mapping", ...(part.refutable ? { refutable: true as const } : {}) },
  effects: ["notifierStart"],
  *check({ program, call, effect, target }): Iterable<Candidate> {
    if (effect.kind !== "notifierStart" || effect.blocking) return;
    yield {
      ruleId: "stale-mapping", messageId: "outsideOom", data: { function: program.name },
      place: { program, at: call.at, end: call.end }, related: [],
      prove: (maxStates) => prove(experiment, program, target.release, maxStates),
      ...(part.asks ? { asks: true } : {}),
    };
  },
});

const source = (body: string): string => `
static int toy_move(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *ptep, unsigned long addr)
{
	struct mmu_notifier_range range;
	pte_t pte;

	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, vma, mm, addr, addr + PAGE_SIZE);
${body}
	pte = ptep_clear_flush(vma, addr, ptep);
	mmu_notifier_invalidate_range_end(&range);
	return 0;
}
`;

const CHECKED = source(`	if (mmu_notifier_invalidate_range_start_nonblock(&range))
		return -EAGAIN;`);
const DROPPED = source("	mmu_notifier_invalidate_range_start_nonblock(&range);");
const UNKNOWN = source(`	if (mmu_notifier_invalidate_range_start_nonblock(&range))
		return -EAGAIN;
	toy_look_at(range.start);`);

const reviewed = (text: string, rule: Rule, showRefuted = true) =>
  review({ path: "toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.1", showRefuted }, [rule])[0]!;

describe("refuted candidates", () => {
  test("what provably cannot get into the bad state is no finding, and is shown on request", () => {
    const { findings, aside } = reviewed(CHECKED, ruleOf(COMPLETE));
    expect(findings).toEqual([]);
    expect(aside?.refuted.map(({ ruleId, evidence }) => [ruleId, evidence?.verdict, evidence?.assumptions])).toEqual([["stale-mapping", "pass", []]]);
    expect(reviewed(CHECKED, ruleOf(COMPLETE), false)).toMatchObject({ findings: [] });
    expect(reviewed(CHECKED, ruleOf(COMPLETE), false).aside).toBeUndefined();
  });

  test("what fails is a finding", () => {
    const { findings, aside } = reviewed(DROPPED, ruleOf(COMPLETE));
    expect(findings.map(({ tier }) => tier)).toEqual(["proved"]);
    expect(aside?.refuted).toEqual([]);
  });

  const tooShort = { ...COMPLETE, build: (...given: Parameters<Experiment["build"]>) => {
    const built = COMPLETE.build(...given);
    const never = { text: "never", source: null, hidden: false, alternatives: [{ guard: FALSE }] };
    return built && { ...built, model: {
      ...built.model,
      threads: [...built.model.threads, { name: "nobody", role: "daemon" as const, locals: [], steps: [never], labels: {} }],
      reach: [...built.model.reach, { thread: built.model.threads.length, step: 0, what: "what is never reached" }],
    } };
  } } satisfies Experiment;
  const assuming = { ...COMPLETE, build: (...given: Parameters<Experiment["build"]>) => {
    const built = COMPLETE.build(...given);
    return built && { ...built, assumptions: ["the two pointers lead to different pages"] };
  } } satisfies Experiment;

  test.each([
    ["the rule is about a contract", CHECKED, ruleOf(COMPLETE, {}), "pass"],
    ["the environment is not complete", CHECKED, ruleOf(refusedInvalidation), "pass"],
    ["a callee is not known", UNKNOWN, ruleOf(COMPLETE), "pass"],
    ["the experiment assumes something", CHECKED, ruleOf(assuming), "pass"],
    ["the pass is vacuous", CHECKED, ruleOf(tooShort), "vacuous"],
    ["the candidate rests on code that is not shown", CHECKED, ruleOf(COMPLETE, { refutable: true, asks: true }), "pass"],
  ] as const)("a clean exploration only lowers the tier where %s", (_, text, rule, verdict) => {
    const { findings, aside } = reviewed(text, rule);
    expect(findings.map(({ tier, evidence }) => [tier, evidence?.verdict])).toEqual([["contract", verdict]]);
    expect(aside?.refuted).toEqual([]);
  });

  test("an exploration that was cut short, or that did not run, refutes nothing", () => {
    for (const options of [{ maxStates: 3 }, { simulate: false }]) {
      const [one] = review({ path: "toy.c", text: CHECKED, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.1", showRefuted: true, ...options }, [ruleOf(COMPLETE)]);
      expect(one?.findings.map(({ tier }) => tier)).toEqual(["contract"]);
      expect(one?.aside?.refuted).toEqual([]);
    }
  });

  test("a hunk that shows a part of the function refutes nothing", () => {
    const lines = CHECKED.trim().split("\n").slice(5, 9);
    const patch = `Subject: [PATCH 6.1] mm: toy\n\n---\n--- a/mm/toy.c\n+++ b/mm/toy.c\n@@ -6,${lines.length - 1} +6,${lines.length} @@ static int toy_move(struct mm_struct *mm)\n` +
      lines.map((line, index) => `${index === 1 ? "+" : " "}${line}`).join("\n") + "\n";
    const [one] = review({ path: "a.patch", text: patch, kind: "patch" }, { ...DEFAULT_OPTIONS, showRefuted: true }, [ruleOf(COMPLETE)]);
    expect(one?.aside?.refuted).toEqual([]);
  });

  const engine = (rule: Rule): Partial<Engine> => ({ ...ENGINE, review: (input, options) => review(input, options, [rule]) });

  test("--show-refuted in text and JSON", async () => {
    const file = `${folderOf({ "toy.c": CHECKED })}/toy.c`;
    const lint = (...more: string[]) => patchwalk(["lint", "--release", "6.1", ...more, file], { engine: engine(ruleOf(COMPLETE)) });
    expect(await lint()).toMatchObject({ status: 0, out: "patchwalk: no findings in 1 input in 1 file\n" });
    const { status, out } = await lint("--show-refuted");
    expect(status).toBe(0);
    expect(out).toMatch(/toy\.c:8: refuted: .* \[stale-mapping\]\n/);
    expect(out.replace(/\s+/g, " ")).toMatch(/explored stale-secondary-mapping: no schedule breaks it \(\d+ states, \d+ transitions; /);
    expect(out).toMatch(/no findings in 1 input in 1 file; 1 refuted, 0 fixed\n$/);
    const { inputs, summary } = JSON.parse((await lint("--show-refuted", "--format", "json")).out);
    expect(inputs[0]).toMatchObject({ findings: [], refuted: [{ ruleId: "stale-mapping", evidence: { verdict: "pass", assumptions: [] } }], fixed: [] });
    expect(summary).toMatchObject({ refuted: 1, fixed: 0 });
  });

  test("no rule of this build is about the bad state alone", () => {
    expect(RULES.filter(({ meta }) => meta.refutable === true)).toEqual([]);
  });
});
