// SPDX-License-Identifier: GPL-2.0-only
import type { Value, Variable } from "./code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "./program.ts";
import { flagsIn } from "./flag-word.ts";
import { countsDiffer, leftBehind, leftByAll, type Leftover } from "./leftovers.ts";
import { namesIn, render, substitute } from "./render.ts";

/** Larger helpers stay calls, and a program does not grow by more than this. */
const MAX_HELPER = 80;
const MAX_GROWTH = 600;
/** Helpers of helpers of helpers: hostile text has long chains. */
const MAX_DEPTH = 20;

/**
 * Puts small helpers of the same text in the place of their calls, where the caller has to see what they do: they leave
 * a lock taken or given up, hand out the pointer of a walk, or use a pointer to an entry that they are given. The call
 * stays as a node without effect, so that node ids and calling contexts keep their meaning; copies carry `inlined`.
 */
export function inlineHelpers(programs: readonly EffectProgram[]): readonly EffectProgram[] {
  // Of two with one name (`#ifdef` and the stub of `#else`) the longer one says what the function does.
  const byName = new Map(programs.toSorted((a, b) => a.end - a.start - (b.end - b.start)).map((program) => [program.name, program]));
  const ofName = byNames(programs);
  const keeps = keepers(byName);
  const done = new Map<EffectProgram, EffectProgram>();
  const open = new Set<EffectProgram>();

  const expanded = (program: EffectProgram, depth: number): EffectProgram => {
    const known = done.get(program);
    if (known) return known;
    open.add(program);
    const result = expand(program, (call) => {
      const [helper, ...others] = ofName.get(call.name)?.filter(({ image }) => image === program.image) ?? [];
      // Which of several definitions of a name it is does not show: none of them stands for all.
      if (!helper || others.length > 0 || helper === program || open.has(helper) || depth >= MAX_DEPTH || !fits(program, helper)) return null;
      const whole = expanded(helper, depth + 1);
      return whole.nodes.length <= MAX_HELPER && matters(whole) ? whole : null;
    });
    open.delete(program);
    done.set(program, result);
    return result;
  };
  const whole = new Map(programs.map((program) => [program, expanded(program, 0)] as const));
  const leaves = leftByHelpers(ofName, (program) => whole.get(program) ?? program);
  return [...whole.values()].map((program) => withCallees(program, keeps, (name) => leaves.get(name) ?? null));
}

function byNames(programs: readonly EffectProgram[]): ReadonlyMap<string, readonly EffectProgram[]> {
  const found = new Map<string, EffectProgram[]>();
  for (const program of programs) found.set(program.name, [...(found.get(program.name) ?? []), program]);
  return found;
}

/** What functions that stay calls somewhere leave; a name stands for all of its definitions. `whole`: with helpers in place. */
function leftByHelpers(byName: ReadonlyMap<string, readonly EffectProgram[]>, whole: (program: EffectProgram) => EffectProgram): ReturnType<typeof leftByAll> {
  const called = new Set([...byName.values()].flat().flatMap((program) => openCalls(whole(program))));
  const definitions = (name: string): readonly EffectProgram[] => (byName.get(name) ?? []).map(whole);
  return leftByAll([...called].filter((name) => byName.has(name)), (name) => new Set(definitions(name).flatMap((one) => [...leftBehind(one)])), (name) => definitions(name).flatMap(openCalls));
}

/** Names of functions of the text that stay calls. */
export const openCalls = (program: EffectProgram): readonly string[] => [
  ...new Set(program.nodes.flatMap((node) => (node.kind === "call" && node.knowledge === "defined-here" ? [node.name] : []))),
];

/** A function of the same text as its callers have to know it. */
export interface Helper {
  /** The helper with its own helpers in place, where it is to stand in the place of its calls; else null. */
  whole(): EffectProgram | null;
  /** True where it gives back nothing that it is handed. */
  readonly keeps: boolean;
  /** What it leaves otherwise than it found it. */
  readonly leaves: ReadonlySet<Leftover>;
}

/** `inlineHelpers` for one function. `helperOf`: null for what is no function of the text, and for one that comes back to the caller. */
export function inlineInto(program: EffectProgram, helperOf: (name: string) => Helper | null): EffectProgram {
  const whole = expand(program, (call) => {
    const helper = helperOf(call.name)?.whole() ?? null;
    return helper && fits(program, helper) ? helper : null;
  });
  return withCallees(whole, (name) => helperOf(name)?.keeps ?? false, (name) => helperOf(name)?.leaves ?? null);
}

/** True where callers see what the function does: `whole` is its program with its own helpers in place. */
export const standsInCallers = (program: EffectProgram, whole: () => EffectProgram): boolean =>
  fits(program, program) && whole().nodes.length <= MAX_HELPER && matters(whole());

/** True where the function, all of which is visible, gives back nothing that it is handed. */
export const keepsAll = (program: EffectProgram, helperOf: (name: string) => Helper | null): boolean =>
  isWhole(program) && program.nodes.every((node) => node.kind !== "unseen" && (node.kind !== "call" || givesNothing(node, (name) => helperOf(name)?.keeps ?? false)));

/** Says at the calls of helpers that stay calls what is known of them. */
function withCallees(program: EffectProgram, keeps: (name: string) => boolean, leaves: (name: string) => ReadonlySet<Leftover> | null): EffectProgram {
  const marked = (call: CallNode): CallNode => {
    const left = leaves(call.name);
    return { ...call, ...(keeps(call.name) ? { keeps: true } : {}), ...(left && left.size > 0 ? { leaves: [...left].toSorted() } : {}) };
  };
  const isOpen = (node: ProgramNode): node is CallNode => node.kind === "call" && node.knowledge === "defined-here" && (keeps(node.name) || (leaves(node.name)?.size ?? 0) > 0);
  if (!program.nodes.some(isOpen)) return program;
  return { ...program, nodes: program.nodes.map((node) => (isOpen(node) ? marked(node) : node)) };
}

/** Whether all of a helper is visible, and neither it nor what it calls drops a reference. */
function keepers(byName: ReadonlyMap<string, EffectProgram>): (name: string) => boolean {
  const known = new Map<string, boolean>();
  const isKeeper = (name: string, depth: number): boolean => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // Of a helper that comes back to itself, or of too long a chain, nothing is certain.
    known.set(name, false);
    const helper = byName.get(name);
    const result =
      depth < MAX_DEPTH && helper !== undefined && isWhole(helper) &&
      helper.nodes.every((node) => node.kind !== "unseen" && (node.kind !== "call" || givesNothing(node, (callee) => isKeeper(callee, depth + 1))));
    known.set(name, result);
    return result;
  };
  return (name) => isKeeper(name, 0);
}

const isWhole = (helper: EffectProgram): boolean =>
  !helper.openStart && !helper.openEnd && helper.assumptions.every((one) => one.kind !== "not-lowered" && one.kind !== "unseen-code");

function givesNothing(call: CallNode, isKeeper: (name: string) => boolean): boolean {
  if (call.effects.some((effect) => effect.kind === "unpin" || effect.kind === "putReference")) return false;
  if (call.knowledge === "unknown") return call.args.every((arg) => namesIn(arg).length === 0);
  return call.knowledge !== "defined-here" || isKeeper(call.name);
}

/** Offsets of a copy are offsets in the caller's text, so both must come from one image, and the helper must be whole. */
const fits = (program: EffectProgram, helper: EffectProgram): boolean =>
  helper.image === program.image && !helper.openStart && !helper.openEnd && helper.nodes.length <= MAX_HELPER;

/** True where a caller that does not look inside would be wrong about locks, maps or a walk's pointer. */
function matters(helper: EffectProgram): boolean {
  const parameters = new Set([...helper.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : [])));
  let usesParameter = false;
  let asserts = false;
  const walked = new Set<string>();
  const taken = new Set<string>();
  for (const node of helper.nodes) {
    if (node.kind !== "call") continue;
    for (const effect of node.effects) {
      if (effect.kind === "assertHeld") asserts = true;
      if (effect.kind === "hugetlbWalk" && node.result !== null) walked.add(node.result);
      if (effect.kind === "returnsReference" && effect.reference === "get" && effect.out === undefined && node.result !== null) taken.add(node.result);
      if ((effect.kind === "accessEntry" || effect.kind === "lockEntryTable") && namesIn(effect.pte).some((name) => parameters.has(name))) usesParameter = true;
    }
  }
  return usesParameter || asserts || choosesFlags(helper) || handsOut(helper, walked) || handsOut(helper, taken) || countsDiffer(helper);
}

/** True where the function makes up a word of GUP flags for its caller. */
const choosesFlags = (helper: EffectProgram): boolean =>
  helper.nodes.some((node) => node.kind === "assign" && node.value !== null && flagsIn(node.value, "FOLL_").size > 0) &&
  !helper.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "gup"));

/** True where one of the variables may be what the function returns. */
function handsOut(helper: EffectProgram, walked: Set<string>): boolean {
  for (let size = -1; size !== walked.size; ) {
    size = walked.size;
    for (const node of helper.nodes) if (node.kind === "assign" && node.value && walked.has(render(node.value))) walked.add(render(node.target));
  }
  return helper.nodes.some((node) => node.kind === "return" && node.value !== null && walked.has(render(node.value)));
}

function expand(program: EffectProgram, helperOf: (call: CallNode) => EffectProgram | null): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const variables = new Map(program.variables);
  const assumptions = [...program.assumptions];
  let copies = 0;
  for (let id = 0; id < program.nodes.length; id++) {
    const call = program.nodes[id];
    if (call?.kind !== "call" || call.knowledge !== "defined-here" || nodes.length > program.nodes.length + MAX_GROWTH) continue;
    const helper = helperOf(call);
    if (!helper) continue;
    const entry = copyInto(nodes, variables, helper, call, ++copies);
    for (const one of helper.assumptions) if (!assumptions.some((known) => known.text === one.text)) assumptions.push(one);
    nodes[id] = { ...call, result: null, knowledge: "inlined", next: entry };
  }
  return copies === 0 ? program : { ...program, nodes, variables, assumptions };
}

/** Appends a copy of the helper's nodes, under the caller's names, and returns where it is entered. */
function copyInto(nodes: ProgramNode[], variables: Map<string, Variable>, helper: EffectProgram, call: CallNode, copy: number): NodeId {
  const assigned = new Set(
    helper.nodes.flatMap((node) => (node.kind === "assign" ? [render(node.target)] : node.kind === "call" && node.result !== null ? [node.result] : [])),
  );
  const local = (name: string): string => `${name}__${copy}`;
  const names = new Map<string, Value>();
  const given: { readonly target: Value; readonly value: Value | null }[] = [];
  let position = 0;
  for (const [name, variable] of helper.variables) {
    const target: Value = { kind: "name", name: local(name), at: call.at };
    const argument = variable.isParameter ? (call.args[position++] ?? null) : null;
    if (argument && !assigned.has(name) && isPlace(argument)) {
      names.set(name, argument);
      continue;
    }
    names.set(name, target);
    variables.set(local(name), { ...variable, name: local(name), isParameter: false });
    if (variable.isParameter) given.push({ target, value: argument });
  }
  const inValue = (value: Value): Value => substitute(value, names);
  const inEffect = (effect: BoundEffect): BoundEffect =>
    Object.fromEntries(Object.entries(effect).map(([name, value]) => [name, isValue(value) ? inValue(value) : value])) as BoundEffect;
  const key = (result: string): string => {
    const [, stars = "", base = "", rest = ""] = /^(\**)([A-Za-z_$][\w$]*)(.*)$/.exec(result) ?? [];
    const to = names.get(base);
    if (!to) return result;
    if (to.kind !== "unary" || to.operator !== "&") return stars + render(to) + rest;
    // Through the address of the caller's variable.
    if (rest.startsWith("->")) return `${stars}${render(to.of)}.${rest.slice(2)}`;
    return stars === "" ? render(to) + rest : stars.slice(1) + render(to.of) + rest;
  };
  for (const temporary of assigned) if (temporary.startsWith("$")) names.set(temporary, { kind: "name", name: local(temporary), at: call.at });

  const offset = nodes.length;
  const to = (target: NodeId): NodeId => (target === helper.exit ? call.next : target + offset);
  for (const node of helper.nodes) nodes.push(copied(node));

  function copied(node: ProgramNode): ProgramNode {
    const inlined = helper.name;
    switch (node.kind) {
      case "call":
        return {
          ...node, inlined: node.inlined ?? inlined, calledAt: { at: call.at, end: call.end }, args: node.args.map(inValue), effects: node.effects.map(inEffect),
          result: node.result === null ? null : key(node.result), next: to(node.next),
        };
      case "assign":
        return { ...node, target: inValue(node.target), value: node.value && inValue(node.value), next: to(node.next) };
      case "branch":
        return { ...node, condition: inValue(node.condition), then: to(node.then), otherwise: to(node.otherwise) };
      case "choice":
        return { ...node, ...(node.on ? { on: inValue(node.on) } : {}), outs: node.outs.map((out) => ({ ...out, next: to(out.next) })) };
      case "return": {
        const next = to(node.next);
        if (call.result === null) return { kind: "label", name: null, at: -1, next };
        const target: Value = { kind: "name", name: call.result, at: call.at };
        return { kind: "assign", target, operator: "=", value: node.value && inValue(node.value), at: call.at, end: call.end, next };
      }
      case "stop":
        return node;
      case "exit":
        return { kind: "label", name: null, at: -1, next: call.next };
      default:
        return { ...node, next: to(node.next) };
    }
  }
  return given.reduceRight<NodeId>(
    (next, { target, value }) => nodes.push({ kind: "assign", target, operator: "=", value, at: call.at, end: call.end, next }) - 1,
    helper.entry + offset,
  );
}

/** Values that mean the same wherever they stand: names, places, constants. */
function isPlace(value: Value): boolean {
  switch (value.kind) {
    case "name":
    case "number":
      return true;
    case "member":
      return isPlace(value.of);
    case "unary":
      return (value.operator === "&" || value.operator === "*") && isPlace(value.of);
    default:
      return false;
  }
}

const isValue = (part: unknown): part is Value => typeof part === "object" && part !== null && "kind" in part && "at" in part;
