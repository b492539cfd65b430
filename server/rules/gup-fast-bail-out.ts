// SPDX-License-Identifier: GPL-2.0-only
import { EMPTY_STATE } from "../analysis/state.ts";
import { normalize } from "../analysis/truth.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { successors, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { functionText } from "../program/statements.ts";
import { givesBack } from "../scenarios/pinned-pages.ts";
import { grabbedNames, type Grab } from "../scenarios/walked-page.ts";
import { writtenCall } from "./fix/release-call.ts";
import { replaced } from "./fix/statement-edits.ts";
import { linesOf } from "./other-lines.ts";
import type { Candidate, Fix, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

/*
 * FAST-3 inside of a lockless walker: what it has grabbed it hands out by its count (`(*nr)++`), or gives back as it was taken, with
 * the same number of references and the same flags. Nobody else knows of it.
 */

/** The count of a walker of GUP-fast, which is handed an array of pages and their number; null: another function. */
export function countOf({ variables, nodes }: EffectProgram): string | null {
  const parameters = [...variables].filter(([, { isParameter }]) => isParameter);
  if (!parameters.some(([, { type, pointers }]) => type === "page" && pointers === 2)) return null;
  const counts = (name: string): boolean => nodes.some((node) => isCounted(name, node) && node.kind === "assign" && (node.operator === "++" || node.operator === "+="));
  return parameters.find(([name, { type, pointers }]) => type === "int" && pointers === 1 && counts(name))?.[0] ?? null;
}

interface Walker {
  readonly program: EffectProgram;
  readonly call: CallNode;
  readonly grab: Grab;
  readonly names: ReadonlySet<string>;
  readonly count: string;
}

/** True where the walker says that it has one page more. */
export const isCounted = (count: string, node: ProgramNode): boolean =>
  node.kind === "assign" && node.target.kind === "unary" && node.target.operator === "*" && node.target.of.kind === "name" && node.target.of.name === count;

const release = ({ names }: Walker, node: ProgramNode): CallNode | null =>
  node.kind === "call" && node.effects.some((effect) => givesBack(effect, names)) ? node : null;

/** The ways out of a test of what the grab returned, without that on which it failed. */
function waysOf({ call, grab }: Walker, node: ProgramNode): readonly NodeId[] {
  if (node.kind !== "branch" || call.result === null) return successors(node);
  const { key, inverted } = normalize(EMPTY_STATE, node.condition);
  if (key !== call.result) return successors(node);
  return [(grab.held === "zero") !== inverted ? node.otherwise : node.then];
}

/** A way from the grab that ends with the page in nobody's hands: the last test on it; null: there is none. */
function forgotten(walker: Walker, from: NodeId): ProgramNode | null {
  const { program, call } = walker;
  const seen = new Set<NodeId>();
  const work: { id: NodeId; test: ProgramNode | null }[] = waysOf(walker, program.nodes[from]!).map((id) => ({ id, test: null }));
  for (let one = work.pop(); one; one = work.pop()) {
    const node = program.nodes[one.id];
    if (!node || seen.has(one.id)) continue;
    seen.add(one.id);
    if (node.kind === "exit" || node === call) return one.test ?? node;
    if (node.kind === "unseen" || isCounted(walker.count, node) || release(walker, node) || isHandedOn(walker, node)) continue;
    const test = node.kind === "branch" ? node : one.test;
    work.push(...waysOf(walker, node).map((id) => ({ id, test })));
  }
  return null;
}

/** Returned, or in the hands of a callee of which nothing is known. */
function isHandedOn({ names }: Walker, node: ProgramNode): boolean {
  const isPage = (value: Value): boolean => names.has(render(value));
  if (node.kind === "return") return node.value !== null && isPage(node.value);
  return node.kind === "call" && (node.knowledge === "unknown" || node.knowledge === "defined-here") && node.args.some(isPage);
}

/** Releases of the page by other references or flags than those of the grab. */
function misfits({ program, call, grab, names }: Walker): CallNode[] {
  const [, references] = call.args;
  // try_grab_page() takes one.
  const taken = call.args.length === 3 && references ? render(references) : "1";
  const isEither = /[a-z]/.test(render(grab.flags));
  return program.nodes.filter((node): node is CallNode => {
    if (node.kind !== "call" || node.inlined !== undefined || !node.effects.some((effect) => givesBack(effect, names))) return false;
    const [, given, flags] = node.args;
    // A reference, or a pin, where the flags say which it was.
    if (!BY_FLAGS.test(node.name)) return isEither;
    return (given !== undefined && render(given) !== taken) || (flags !== undefined && render(flags) !== render(grab.flags));
  });
}

const BY_FLAGS = /^(?:gup_put_folio|put_compound_head)$/;

/** The release that belongs to the grab. */
function asTaken({ program, call }: Walker, other: CallNode, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const [grab, written] = [fn && writtenCall(fn, call), fn && writtenCall(fn, other)];
  const [page] = written?.args ?? [];
  if (!grab || !written || page === undefined) return [];
  const [references, flags] = grab.args.length === 3 ? [grab.args[1], grab.args[2]] : ["1", grab.args[1]];
  const name = BY_FLAGS.test(other.name) ? other.name : atLeast(release, "5.17") ? "gup_put_folio" : "put_compound_head";
  return [{ title: `Give the page back as it was taken, by ${name}()`, edits: [replaced(written.at, written.end, `${name}(${page}, ${references}, ${flags})`)] }];
}

export function* bailOutCandidates(ruleId: string, { program, node, call, effect, target }: Site): Iterable<Candidate> {
  const count = countOf(program);
  if (effect.kind !== "grabPage" || count === null || program.openStart || program.openEnd) return;
  const walker: Walker = { program, call, grab: effect, names: grabbedNames(program, { call, grab: effect }), count };
  const data = { function: program.name, call: call.name };
  for (const other of misfits(walker)) {
    yield { ruleId, messageId: "otherwise", data: { ...data, release: other.name }, place: placeOf(program, other), related: linesOf("taken here", program, [call]), prove: null, fixes: () => asTaken(walker, other, target.release) };
  }
  const test = forgotten(walker, node);
  if (test) yield { ruleId, messageId: "dropped", data, place: placeOf(program, call), related: test.kind === "branch" ? linesOf("left here", program, [test]) : [], prove: null };
}
