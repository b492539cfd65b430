// SPDX-License-Identifier: GPL-2.0-only
import { conventionOf, type Convention } from "../kernel/signature.ts";
import { changedRows, codeText } from "../program/code-text.ts";
import type { EffectProgram, ReturnNode } from "../program/program.ts";
import type { At, Subject } from "./rule.ts";

/** A way out of a function that says success, or failure, as another release does. */
export interface ForeignReturn {
  readonly place: At;
  readonly convention: Convention;
  /** What the value means in the target. */
  readonly meaning: "success" | "failure";
  /** True where the value may be meant: it exists in both conventions. */
  readonly isDoubtful: boolean;
}

/**
 * Values that a patch returns from a function whose success has another value in a later release (6.1.130 got `return 0` for success
 * into try_grab_page(), which returns a bool there). The type that the patch shows decides; where it shows none, nothing is said.
 */
export function foreignReturns({ unit, old, target }: Subject): ForeignReturn[] {
  return unit.programs.flatMap((program) => {
    const convention = old?.programs.some(({ name }) => name === program.name) === true ? conventionOf(program.name, target.release) : null;
    if (convention === null || convention.success !== "nonzero" || !returnsBool(program)) return [];
    return program.nodes.flatMap((node): ForeignReturn[] => {
      const value = node.kind === "return" && isAdded(program, node) ? meaningOf(codeText(program.image).slice(node.at, node.end)) : null;
      return node.kind === "return" && value !== null ? [{ place: { program, at: node.at, end: node.end }, convention, ...value }] : [];
    });
  });
}

const returnsBool = ({ image, start, end }: EffectProgram): boolean => /^(?:[\w\s]*\s)?bool\s[\w\s]*\(/.test(codeText(image).slice(start, Math.min(end, start + MAX_HEAD)));

/** No head that people write is longer up to its first parenthesis. */
const MAX_HEAD = 300;

const isAdded = ({ image }: EffectProgram, { at, end }: ReturnNode): boolean => at >= 0 && changedRows(image, at, end).length > 0;

/** A number or an error in a function that returns a bool, by the words of the statement. */
function meaningOf(statement: string): Pick<ForeignReturn, "meaning" | "isDoubtful"> | null {
  const value = /^return\s*\(?\s*(0|-\s*E[A-Z0-9]+)\s*\)?\s*;?$/.exec(statement.trim())?.[1];
  return value === undefined ? null : value === "0" ? { meaning: "failure", isDoubtful: true } : { meaning: "success", isDoubtful: false };
}
