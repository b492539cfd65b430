// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";

/** `ENOMEM` of `-ENOMEM`; null for every other value. */
export const errorCodeOf = (value: Value | null): string | null =>
  value?.kind === "unary" && value.operator === "-" && value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name) ? value.of.name : null;

/** Variables that are 0 or a negative errno wherever they are read, by canonical text. */
export function errorCodes(program: EffectProgram): ReadonlySet<string> {
  const codes = new Set<string>();
  const others = new Set([...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : [])));
  for (const node of program.nodes) {
    if (node.kind === "call" && node.result !== null) (givesErrorCode(node) ? codes : others).add(node.result);
    if (node.kind === "assign") codes.add(render(node.target));
  }
  // What is assigned anything else is not one, nor is its copy.
  for (let size = -1; size !== others.size; ) {
    size = others.size;
    for (const node of program.nodes)
      if (node.kind === "assign" && !((node.operator === "=" || node.operator === "|=") && node.value && isErrorCode(node.value, codes, others))) others.add(render(node.target));
  }
  return new Set([...codes].filter((key) => !others.has(key)));
}

const givesErrorCode = (call: CallNode): boolean =>
  call.effects.some((effect) => (effect.kind === "notifierStart" && !effect.blocking) || ("held" in effect && effect.held === "zero") || (effect.kind === "mapPte" && effect.pteOut !== undefined));

function isErrorCode(value: Value, codes: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  if (value.kind === "number") return value.value === 0;
  if (value.kind === "unary" && value.operator === "-") return value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name);
  const key = render(value);
  return codes.has(key) && !others.has(key);
}

const before = new WeakMap<EffectProgram, readonly (readonly NodeId[])[]>();

function predecessors(program: EffectProgram): readonly (readonly NodeId[])[] {
  const known = before.get(program);
  if (known) return known;
  const made: NodeId[][] = program.nodes.map(() => []);
  program.nodes.forEach((node, id) => {
    for (const next of successors(node)) made[next]?.push(id);
  });
  before.set(program, made);
  return made;
}

/** Names of the error codes that a variable may hold at a node besides 0; null where that is not known. */
export function errnosAt(program: EffectProgram, at: NodeId, key: string, depth = 0): ReadonlySet<string> | null {
  if (depth > MAX_COPIES) return null;
  const found = new Set<string>();
  const seen = new Set<NodeId>();
  const reached = predecessors(program);
  const work = [...(reached[at] ?? [])];
  const add = (codes: ReadonlySet<string> | null): boolean => {
    for (const code of codes ?? []) found.add(code);
    return codes !== null;
  };
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const node = program.nodes[id];
    if (node?.kind === "unseen" || (id === program.entry && (reached[id] ?? []).length === 0 && !defines(node, key))) return null;
    if (node?.kind === "call" && node.result === key) {
      if (!add(givenBy(node))) return null;
      continue;
    }
    if (node?.kind === "assign" && render(node.target) === key) {
      if (!node.value || !add(codesOf(program, id, node.value, depth))) return null;
      if (node.operator === "=") continue;
    }
    work.push(...(reached[id] ?? []));
  }
  return found;
}

const MAX_COPIES = 5;

const defines = (node: EffectProgram["nodes"][number] | undefined, key: string): boolean =>
  (node?.kind === "call" && node.result === key) || (node?.kind === "assign" && node.operator === "=" && render(node.target) === key);

function givenBy(call: CallNode): ReadonlySet<string> | null {
  if (call.effects.some((effect) => effect.kind === "notifierStart" && !effect.blocking)) return new Set(["EAGAIN"]);
  return call.effects.some((effect) => effect.kind === "acquire" && effect.held === "zero") ? new Set(["EINTR"]) : null;
}

function codesOf(program: EffectProgram, at: NodeId, value: Value, depth: number): ReadonlySet<string> | null {
  if (value.kind === "number") return value.value === 0 ? new Set() : null;
  if (value.kind === "unary" && value.operator === "-" && value.of.kind === "name") return new Set([value.of.name]);
  return value.kind === "name" ? errnosAt(program, at, value.name, depth + 1) : null;
}
