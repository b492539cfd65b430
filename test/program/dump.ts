// SPDX-License-Identifier: GPL-2.0-only
import { parseRelease } from "../../server/kernel/release.ts";
import { unitOf, type Unit } from "../../server/analysis/unit.ts";
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../../server/program/program.ts";
import { render } from "../../server/program/render.ts";
import { imageOfFile } from "../../server/source/image.ts";

/** A unit of one C text. */
export function unitOfText(text: string, release = "6.1"): Unit {
  const parsed = parseRelease(release);
  if (!parsed) throw new Error(`no release: ${release}`);
  return unitOf([imageOfFile("mm/test.c", text)], parsed);
}

export function programOf(unit: Unit, name: string): EffectProgram {
  const found = unit.programs.find((program) => program.name === name);
  if (!found) throw new Error(`no function ${name}`);
  return found;
}

const isSilent = (node: ProgramNode): boolean => node.kind === "label" && node.name === null;

/** What a node does, in one word or two; temporaries lose their numbers, which mean nothing. */
function wordOf(node: ProgramNode): string {
  const text = ((): string => {
    switch (node.kind) {
      case "call":
        return `${node.result === null ? "" : `${node.result} = `}${node.name === "*" ? `access ${node.args.map(render).join()}` : `${node.name}(${node.args.map(render).join(", ")})`}`;
      case "assign":
        return `${render(node.target)} ${node.operator} ${node.value ? render(node.value) : "?"}`;
      case "branch":
        return `if ${render(node.condition)}`;
      case "choice":
        return `${node.reason} ${node.text}`;
      case "return":
        return `return${node.value ? ` ${render(node.value)}` : ""}`;
      case "label":
        return `${node.name ?? ""}:`;
      case "unseen":
        return `unseen ${node.where}`;
      default:
        return "exit";
    }
  })();
  return text.replace(/\$[\d_]+/g, "$");
}

/**
 * The graph as text, in order of control: one line per node, numbered by first visit; a node with several ways on names
 * them. Joints without a name are seen through.
 */
export function dump(program: EffectProgram): string[] {
  const through = (id: NodeId): NodeId => {
    let at = id;
    for (let steps = 0; steps < program.nodes.length; steps++) {
      const node = program.nodes[at];
      if (!node || !isSilent(node) || !("next" in node)) return at;
      at = node.next;
    }
    return at;
  };
  const order = new Map<NodeId, number>();
  const visit: NodeId[] = [through(program.entry)];
  for (let id = visit.pop(); id !== undefined; id = visit.pop()) {
    const node = program.nodes[id];
    if (order.has(id) || !node) continue;
    order.set(id, order.size + 1);
    visit.push(...successors(node).map(through).toReversed());
  }
  const numberOf = (id: NodeId): number => order.get(through(id)) ?? 0;
  return [...order].map(([id, number]) => {
    const node = program.nodes[id];
    if (!node) return "";
    const next = successors(node).map(numberOf);
    const ways = next.length === 0 || (next.length === 1 && next[0] === number + 1) ? "" : ` -> ${next.join(" | ")}`;
    return `${number} ${wordOf(node)}${ways}`;
  });
}
