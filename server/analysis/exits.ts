// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../program/program.ts";
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
  const sources = sourcesOf(program);
  const exits = program.nodes.flatMap((node, id): Exit[] => {
    if (node.kind !== "return" || node.value === null) return [];
    const { value } = node;
    const text = render(value);
    return (before[id] ?? []).map((state) => {
      const truth = truthOf(state, value);
      return { state, value: truth === null ? null : truth ? "nonzero" : "zero", returned: returnedText(sources.get(text), text, truth === true) };
    });
  });
  if (exits.length > 0) return { exits, complete };
  return { exits: (before[program.exit] ?? []).map((state) => ({ state, value: null, returned: null })), complete };
}

/** What gives each variable its value, by name: the texts of assigned values; null for the value of a call, or of another operation. */
function sourcesOf(program: EffectProgram): ReadonlyMap<string, ReadonlySet<string | null>> {
  const found = new Map<string, Set<string | null>>();
  const add = (name: string, text: string | null): void => void found.set(name, (found.get(name) ?? new Set<string | null>()).add(text));
  for (const node of program.nodes) {
    if (node.kind === "call" && node.result !== null) add(node.result, null);
    if (node.kind === "assign") add(render(node.target), node.operator === "=" && node.value ? render(node.value) : null);
  }
  return found;
}

/**
 * `return x;` computes the value first: the text of x, which a node in front of the return gives to a temporary. Null where
 * several texts (`a ? x : y`) or a call may have given it; NULL is none of them where the value is not zero.
 */
function returnedText(sources: ReadonlySet<string | null> | undefined, temporary: string, isNonzero: boolean): string | null {
  if (!sources) return temporary;
  const left = [...sources].filter((text) => !(isNonzero && (text === "NULL" || text === "0")));
  return left.length === 1 ? (left[0] ?? null) : null;
}
