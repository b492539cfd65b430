// SPDX-License-Identifier: GPL-2.0-only
import { factFor } from "../kernel/facts.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { flagBit } from "../program/flag-word.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { isTruth } from "../program/question.ts";
import { render } from "../program/render.ts";
import { and, eq, expression, FALSE, ne, not, or, TRUE, type Expression } from "../simulator/expression.ts";
import { flagsOfVma, maskOf } from "../program/vma-flags.ts";
import { booleansOf } from "./booleans.ts";
import { counting } from "./counting.ts";
import { errorCodes, errnosAt } from "./error-code.ts";
import type { ValueKind, World } from "./world.ts";
import { isZero } from "../program/truth-table.ts";

/** Reads variables on behalf of the translation: null where a variable is not tracked. */
export type ReadVariable = (key: string) => Expression | null;

export interface Translator {
  value(value: Value): Expression | null;
  /** Truth of a condition; null: the text does not decide it on the model's state. */
  condition(value: Value): Expression | null;
  flag(word: Value, bit: string): Expression | null;
  /** A number that the world counts with; see `World.counts`. */
  number(value: Value): Expression | null;
}

const POINTER_KINDS: Readonly<Record<string, ValueKind>> = { folio: "folio", page: "folio" };

/** Kind of a value, by the declared type where there is one. */
export function kindOf(program: EffectProgram, value: Value): ValueKind {
  if (value.kind === "name") {
    const variable = program.variables.get(value.name);
    if (value.name === "NULL") return "pointer";
    if (!variable) return "scalar";
    if (variable.pointers === 0) return /^(?:pte_t|pmd_t|swp_entry_t)$/.test(variable.type) ? "entry" : "scalar";
    return POINTER_KINDS[variable.type] ?? "pointer";
  }
  if (value.kind === "unary" && value.operator === "*") return "entry";
  return "scalar";
}

/** True for a variable that is a pointer, whatever it points to. */
export const isPointer = (program: EffectProgram, value: Value): boolean => value.kind === "name" && (program.variables.get(value.name)?.pointers ?? 0) > 0;

/** Pointers that arithmetic moves within what they point into. */
const movedPointers = (program: EffectProgram): ReadonlySet<string> =>
  new Set(
    program.nodes.flatMap((node) =>
      node.kind === "assign" && isPointer(program, node.target) && (node.operator !== "=" || (node.value?.kind === "binary" && /^[+-]$/.test(node.value.operator))) ? [render(node.target)] : [],
    ),
  );

/** `folio->page` behind `&`: the folio by another name. */
const isFirstPage = (of: Value): of is Value & { kind: "member" } => of.kind === "member" && of.arrow && of.field === "page" && of.of.kind === "name";

const isConstant = (of: Expression | null, truth: boolean): boolean => of?.kind === "constant" && (of.value !== 0) === truth;

/** What one part decides needs no other part to be known. */
function all(parts: readonly (Expression | null)[]): Expression | null {
  if (parts.some((one) => isConstant(one, false))) return FALSE;
  return parts.reduce((whole, one) => (whole === null || one === null ? null : and(whole, one)), TRUE);
}

function any(parts: readonly (Expression | null)[]): Expression | null {
  if (parts.some((one) => isConstant(one, true))) return TRUE;
  return parts.reduce((whole, one) => (whole === null || one === null ? null : or(whole, one)), FALSE);
}

/** Turns C values into expressions over the model's state. What cannot be decided is null: a free choice, never a default. */
export function translator(
  program: EffectProgram,
  world: World,
  release: Release,
  read: ReadVariable,
  /** The node whose values are translated. */
  here: () => NodeId,
): Translator {
  const codes = errorCodes(program);
  const moved = movedPointers(program);
  const booleans = booleansOf(program);
  const counted = counting(world, read);

  function value(of: Value, depth = 0): Expression | null {
    if (depth > 50) return null;
    const owned = world.place(of);
    if (owned !== null) return expression(owned);
    const inner = (part: Value): Expression | null => value(part, depth + 1);
    switch (of.kind) {
      case "number":
        return of.value === 0 ? FALSE : TRUE;
      case "name":
        if (of.name === "NULL") return FALSE;
        if (/^E[A-Z0-9]+$/.test(of.name)) return TRUE;
        return read(of.name);
      case "member":
      case "index":
        return read(render(of));
      case "unary":
        if (of.operator === "-" || of.operator === "+") return inner(of.of);
        if (of.operator === "&") return isFirstPage(of.of) && kindOf(program, of.of.of) === "folio" ? inner(of.of.of) : TRUE;
        if (of.operator === "!") return negate(condition(of.of));
        return null;
      case "call":
        // An error code as a pointer would be.
        if (of.name === "IS_ERR_VALUE" && of.args[0] && codes.has(render(of.args[0]))) return condition(of.args[0]);
        return pure(of, inner);
      case "binary":
        return comparison(of, inner);
      default:
        return null;
    }
  }

  const negate = (of: Expression | null): Expression | null => 
    of === null ? null : of.kind === "constant" ? (of.value === 0 ? TRUE : FALSE) : not(of);

  function pure(call: Value & { kind: "call" }, inner: (part: Value) => Expression | null): Expression | null {
    const meaning = factFor(call.name, call.args.length, release)?.fact.pure;
    if (!meaning) return null;
    const args = meaning.of.flatMap((index) => call.args[index] ?? []);
    const first = args[0];
    if (meaning.meaning === "identity") return first ? inner(first) : null;
    return world.meaning(meaning, args, inner);
  }

  function comparison(of: Value & { kind: "binary" }, inner: (part: Value) => Expression | null): Expression | null {
    const { operator, left, right } = of;
    const known = world.compare?.(of, inner) ?? counted.comparison(of) ?? counted.isNonzero(of);
    if (known !== null) return known;
    if (operator === "&&" || operator === "||") {
      return operator === "&&" ? all([condition(left), condition(right)]) : any([condition(left), condition(right)]);
    }
    // Arithmetic on a pointer does not leave what it points into.
    if ((operator === "+" || operator === "-") && isPointer(program, left)) return inner(left);
    if (operator === "&") {
      if (right.kind === "name" && !program.variables.has(right.name) && /^[A-Z][A-Z0-9_]*$/.test(right.name)) return flag(left, right.name);
      const mask = maskOf(right);
      return mask && any(mask.map((bit) => bitOf(left, bit)));
    }
    const truth = comparedWithOne(of);
    if (truth) return operator === "==" ? condition(truth) : negate(condition(truth));
    const chosen = operator === "==" || operator === "!=" ? (maskEquals(left, right) ?? isErrno(left, right)) : null;
    if (chosen !== null) return operator === "==" ? chosen : negate(chosen);
    if (/^[<>]=?$/.test(operator) && isZero(right) && codes.has(render(left))) {
      // An error code is never above 0.
      if (operator === ">" || operator === "<=") return operator === ">" ? FALSE : TRUE;
      const failed = condition(left);
      return operator === "<" ? failed : negate(failed);
    }
    if (operator === "==" || operator === "!=") {
      const a = inner(left);
      const b = inner(right);
      const exact = kindOf(program, left) !== "scalar" && kindOf(program, right) !== "scalar";
      // The model knows what a pointer points into, not how far.
      if (moved.has(render(left)) && !isZero(right)) return null;
      if (moved.has(render(right)) && !isZero(left)) return null;
      if (a === null || b === null || !(exact || isZero(left) || isZero(right) || countsOne(left, right))) return null;
      return operator === "==" ? eq(a, b) : ne(a, b);
    }
    return null;
  }

  /** `locked == 1` of something that is 0 or 1. */
  function comparedWithOne({ operator, left, right }: Value & { kind: "binary" }): Value | null {
    if (operator !== "==" && operator !== "!=") return null;
    const [of, other] = right.kind === "number" ? [left, right] : [right, left];
    return other.kind === "number" && other.value === 1 && (isTruth(of) || booleans.has(render(of))) ? of : null;
  }

  const bitOf = (word: Value, bit: string): Expression | null => {
    const name: Value = { kind: "name", name: bit, at: 0 };
    return condition({ kind: "binary", operator: "&", left: word, right: name, at: 0 });
  };

  /** `(flags & (A | B)) == A`, bit by bit; one bit that is known to differ decides it. */
  function maskEquals(left: Value, right: Value): Expression | null {
    if (left.kind !== "binary" || left.operator !== "&" || right.kind === "number") return null;
    const [mask, wanted] = [maskOf(left.right), maskOf(right)];
    if (!mask || !wanted) return null;
    if (wanted.some((bit) => !mask.includes(bit))) return FALSE;
    return all(mask.map((bit) => (wanted.includes(bit) ? bitOf(left.left, bit) : negate(bitOf(left.left, bit)))));
  }

  /** `ret == -EAGAIN` where ret can be 0 or that code only, or cannot be that code at all. */
  function isErrno(left: Value, right: Value): Expression | null {
    if (right.kind !== "unary" || right.operator !== "-" || right.of.kind !== "name" || !codes.has(render(left))) return null;
    const possible = errnosAt(program, here(), render(left));
    if (possible === null) return null;
    if (!possible.has(right.of.name)) return FALSE;
    return possible.size === 1 ? condition(left) : null;
  }

  /** `folio_mapcount(folio) != 1` compares a modelled count with a number. */
  const countsOne = (left: Value, right: Value): boolean =>
    left.kind === "call" && right.kind === "number" && right.value === 1 && factFor(left.name, left.args.length, release)?.fact.pure?.meaning === "folio-mapcount";

  function condition(of: Value): Expression | null {
    const found = value(of);
    return found === null ? null : found.kind === "binary" || found.kind === "not" || found.kind === "constant" ? found : ne(found, 0);
  }

  function flag(word: Value, bit: string): Expression | null {
    const mapping = flagsOfVma(word);
    const owned = mapping && world.place({ kind: "binary", operator: "&", left: mapping, right: { kind: "name", name: bit, at: 0 }, at: 0 });
    if (owned !== null) return expression(owned);
    let unknown = false;
    const lost = (): Expression => {
      unknown = true;
      return FALSE;
    };
    const found = flagBit<Expression>(word, bit, {
      constant: (one) => (one ? TRUE : FALSE),
      and,
      or,
      not,
      variable: (key) => read(`${key}/${bit}`) ?? lost(),
      condition: (one) => condition(one) ?? lost(),
      unknown: lost,
    });
    return unknown ? null : found;
  }

  return { value, condition, flag, number: counted.number };
}
