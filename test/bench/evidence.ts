// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import type { Candidate, Rule } from "../../server/rules/rule.ts";
import { forgetResults } from "../../server/simulator/remembered.ts";
import { optionsOf } from "../fixture-file.ts";

// Time that each finding of the rules' fixtures takes from its call to its proof: what the rule looks at, lifting, verdict,
// the fix and the schedule to show. Results that the simulator remembers are forgotten before each. One line of JSON.

const [fixtures = ""] = process.argv.slice(2);
const ROUNDS = 5;

const FILES = readdirSync(fixtures).toSorted().flatMap((rule) =>
  readdirSync(join(fixtures, rule)).toSorted().map((name) => ({ name: `${rule}/${name}`, text: readFileSync(join(fixtures, rule, name), "utf8") })),
);

/** Milliseconds by finding, in the order in which they are made. */
let spent: number[] = [];

/** Counts what a candidate costs: its part of the check, and its proof. */
function timed(rule: Rule): void {
  const { check } = rule;
  if (!check) return;
  const timedProof = (candidate: Candidate, found: number): Candidate => ({
    ...candidate,
    prove:
      candidate.prove &&
      ((maxStates) => {
        const begin = performance.now();
        const proof = candidate.prove?.(maxStates) ?? null;
        spent.push(found + performance.now() - begin);
        return proof;
      }),
  });
  rule.check = function* (site) {
    forgetResults();
    let begin = performance.now();
    for (const candidate of check.call(rule, site)) {
      const ms = performance.now() - begin;
      yield timedProof(candidate, ms);
      begin = performance.now();
    }
  };
}

const proofsOf = (name: string, text: string): number[] => {
  spent = [];
  const kind = name.endsWith(".c") ? "c" : "patch";
  review({ path: kind === "c" ? name.replace(/^.*\//, "mm/") : name, text, kind }, optionsOf(text));
  return spent;
};

RULES.forEach(timed);
for (let round = 0; round < 2; round++) for (const { name, text } of FILES) proofsOf(name, text);
const findings = FILES.flatMap(({ name, text }) => {
  const rounds = Array.from({ length: ROUNDS }, () => proofsOf(name, text));
  return (rounds[0] ?? []).map((_, index) => ({ name, ms: rounds.map((one) => one[index] ?? 0).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0 }));
});
console.log(JSON.stringify(findings));
