// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { heldLine } from "../../server/report/held.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { heldInFile, type HeldFact } from "../../server/review/held.ts";
import { chosenLines } from "./held-lines.ts";

interface ExpectedLine {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly text: string;
  readonly held: readonly string[];
  readonly atomic: readonly string[];
  readonly mapped: readonly string[];
  readonly maybe: readonly string[];
  readonly reason: string;
}

const fixture = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/held/linux-6.1.json"), "utf8")) as Record<"all" | "locking", readonly ExpectedLine[]>;

const tree = process.env["PATCHWALK_KERNEL_TREE"] ?? "";
const isTree = tree !== "" && existsSync(join(tree, "mm/memory.c")) && /^VERSION = 6\nPATCHLEVEL = 1$/m.test(readFileSync(join(tree, "Makefile"), "utf8"));

/** Uncertain facts that the analysis says besides the expected ones, as measured: not more. */
const MOST_BESIDES = { all: 3, locking: 3 };

const release = parseRelease("6.1");
if (!release) throw new Error("no release");

/** The fact as a hint says it, without its label. */
const textOf = (fact: HeldFact): string => heldLine({ facts: [{ ...fact, isCertain: true }], callersKnown: true }).replace(/^[\w ]+: /, "");

const isUnchanged = ({ file, line, text }: ExpectedLine): boolean => {
  const row = readFileSync(join(tree, file), "utf8").split("\n")[line - 1] ?? "";
  return createHash("sha256").update(row.replace(/\s+/g, "")).digest("hex").startsWith(text);
};

function shown({ file, line }: ExpectedLine): { readonly certain: Record<"held" | "atomic" | "mapped", readonly string[]>; readonly maybe: readonly string[] } {
  const facts = heldInFile(file, readFileSync(join(tree, file), "utf8"), release!).at(line)?.facts ?? [];
  const of = (...kinds: readonly HeldFact["kind"][]): readonly string[] => facts.filter((fact) => fact.isCertain && kinds.includes(fact.kind)).map(textOf);
  return {
    certain: { held: of("sleeping").toSorted(), atomic: of("spinning", "section").toSorted(), mapped: of("mapped") },
    maybe: facts.filter((fact) => !fact.isCertain).map(textOf),
  };
}

test.each(["all", "locking"] as const)("the fixture has 50 lines with reasons (%s)", (set) => {
  expect(fixture[set]).toHaveLength(50);
  expect(fixture[set].filter(({ reason }) => reason.length < 10)).toEqual([]);
});

test.skipIf(!isTree)("the lines are the first ones by hash (needs PATCHWALK_KERNEL_TREE with Linux 6.1)", () => {
  if (![...fixture.all, ...fixture.locking].every(isUnchanged)) return; // Another sublevel has other lines.
  const chosen = chosenLines(tree, 50);
  for (const set of ["all", "locking"] as const)
    expect(fixture[set].map(({ file, line, function: name }) => ({ file, line, function: name }))).toEqual(chosen[set]);
});

test.skipIf(!isTree).each(["all", "locking"] as const)("what is held at the chosen lines is what reading finds: %s (needs PATCHWALK_KERNEL_TREE with Linux 6.1)", (set) => {
  const lines = fixture[set].filter(isUnchanged);
  expect(lines.length).toBeGreaterThan(25);
  let besides = 0;
  for (const expected of lines) {
    const { certain, maybe } = shown(expected);
    const where = `${expected.file}:${expected.line} ${expected.function}(): ${expected.reason}`;
    expect({ held: [...expected.held].toSorted(), atomic: [...expected.atomic].toSorted(), mapped: expected.mapped }, where).toEqual(certain);
    expect(maybe, where).toEqual(expect.arrayContaining([...expected.maybe]));
    besides += maybe.filter((one) => !expected.maybe.includes(one)).length;
  }
  expect(besides).toBeLessThanOrEqual(MOST_BESIDES[set]);
}, 120_000);
