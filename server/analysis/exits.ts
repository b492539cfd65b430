// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Interpretation } from "./interpret.ts";
import type { State } from "./state.ts";
import { truthOf } from "./truth.ts";

/** One way out of a function. */
export interface Exit {
  readonly state: State;
  /** The function's value as a condition; null where it is not known, or where there is none. */
  readonly value: "zero" | "nonzero" | null;
  /** Text of what is returned, or null. */
  readonly returned: string | null;
}

/** The states in which a function is left, with what is known of its value. */
export function exitsOf(program: EffectProgram, { before, complete }: Interpretation): { readonly exits: readonly Exit[]; readonly complete: boolean } {
  const exits = program.nodes.flatMap((node, id): Exit[] => {
    if (node.kind !== "return" || node.value === null) return [];
    const { value } = node;
    return (before[id] ?? []).map((state) => {
      const truth = truthOf(state, value);
      return { state, value: truth === null ? null : truth ? "nonzero" : "zero", returned: returnedText(program, id) };
    });
  });
  if (exits.length > 0) return { exits, complete };
  return { exits: (before[program.exit] ?? []).map((state) => ({ state, value: null, returned: null })), complete };
}

/** `return x;` computes the value first: the text of x, which the node in front of the return gives to a temporary. */
function returnedText(program: EffectProgram, id: NodeId): string | null {
  const node = program.nodes[id];
  if (node?.kind !== "return" || node.value === null) return null;
  const text = render(node.value);
  const source = program.nodes.find((one) => one.kind === "assign" && one.operator === "=" && render(one.target) === text);
  return source?.kind === "assign" && source.value ? render(source.value) : text;
}
