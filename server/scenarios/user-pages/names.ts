// SPDX-License-Identifier: GPL-2.0-only
import { SAME_FOLIO } from "../../kernel/same-folio.ts";
import type { Value } from "../../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { gupAt, pageCount, type Gup } from "../pinned-pages.ts";

/*
 * Which variables of a function hold the pages of one pinning call, and which hold numbers of them: `pages[i]` is an element
 * of the array, `ret` how many there are.
 */

export interface UserPages {
  readonly call: CallNode;
  readonly gup: Gup;
  /** Where the calls stand that fill the same array, the one under review among them. */
  readonly taking: ReadonlySet<number>;
  /** Names of the array. */
  readonly arrays: ReadonlySet<string>;
  /** Variables that hold one page. */
  readonly pages: ReadonlySet<string>;
  /** What numbers of pages, and places in the array, are kept in. */
  readonly numbers: ReadonlySet<string>;
  /** Of those, what says how many pages are asked for. */
  readonly sizes: ReadonlySet<string>;
  /** True where nobody but the function can reach the array: what it holds at the end is lost. */
  readonly isOwn: boolean;
  /** False where a pointer walks through the array: which page it points to is not known. */
  readonly isIndexed: boolean;
}

const ZERO: Value = { kind: "number", value: 0, at: -1 };

/** An element of an array: `pages[i]`, `*pages`. */
export function elementOf(value: Value): { readonly array: Value; readonly index: Value } | null {
  if (value.kind === "index") return { array: value.of, index: value.index };
  return value.kind === "unary" && value.operator === "*" ? { array: value.of, index: ZERO } : null;
}

const isZero = (value: Value): boolean => value.kind === "number" && value.value === 0;

/** Where in an array something begins: `pages`, `pages + n`, `&pages[n]`; `&page` is an array of one. */
export function partOf(value: Value): { readonly array: Value; readonly first: Value } {
  if (value.kind === "unary" && value.operator === "&") return value.of.kind === "index" ? { array: value.of.of, first: value.of.index } : { array: value.of, first: ZERO };
  if (value.kind !== "binary" || (value.operator !== "+" && value.operator !== "-")) return { array: value, first: ZERO };
  // `pages + pinned - got` begins `pinned - got` behind the array.
  const { array, first } = partOf(value.left);
  return { array, first: isZero(first) && value.operator === "+" ? value.right : { ...value, left: first } };
}

/** What has the references of a page: those of a folio are counted in one place. */
export function samePage(value: Value): Value {
  if (value.kind === "call" && SAME_FOLIO.has(value.name) && value.args[0]) return samePage(value.args[0]);
  return isFirstOfFolio(value) && value.kind === "unary" && value.of.kind === "member" ? value.of.of : value;
}

/** `&folio->page`, `compound_head(page)`: the first page of a folio, whichever of its pages was taken. */
export const isFirstOfFolio = (value: Value): boolean =>
  (value.kind === "unary" && value.operator === "&" && value.of.kind === "member" && value.of.arrow && value.of.field === "page") || (value.kind === "call" && value.name === "compound_head");

const isPlace = (value: Value): boolean => value.kind === "name" || value.kind === "member";

/** Names that a copy connects with the first ones, both ways; `isOne`: whether a value is one of them already. */
function closure(program: EffectProgram, first: readonly string[], isOne: (value: Value, found: ReadonlySet<string>) => boolean): Set<string> {
  const found = new Set(first);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind !== "assign" || node.operator !== "=" || !node.value || !isPlace(node.target)) continue;
      if (isOne(node.value, found)) found.add(render(node.target));
      else if (found.has(render(node.target)) && isPlace(node.value) && render(node.value) !== "NULL") found.add(render(node.value));
    }
  }
  return found;
}

/** Terms of a sum of plain places: `nr - pinned` is nr and pinned. */
const leaves = (value: Value): readonly Value[] =>
  value.kind === "binary" && (value.operator === "+" || value.operator === "-") ? [...leaves(value.left), ...leaves(value.right)] : isPlace(value) ? [value] : [];

/** What a difference is taken from: `nr` of `nr - pinned`. */
const wholeOf = (value: Value): readonly Value[] =>
  value.kind === "binary" && value.operator === "-" ? wholeOf(value.left) : value.kind === "binary" ? [] : isPlace(value) ? [value] : [];

const textsOf = (values: readonly Value[]): string[] => values.map(render).filter((text) => text !== "NULL");

function numbersOf(program: EffectProgram, call: CallNode, gup: Gup, arrays: ReadonlySet<string>): Set<string> {
  const count = pageCount(call, gup);
  const found = new Set<string>([...(call.result === null ? [] : [call.result]), ...textsOf(count ? leaves(count) : []), ...textsOf(gup.pages ? leaves(partOf(gup.pages).first) : [])]);
  const note = (value: Value | undefined): void => textsOf(value ? leaves(value) : []).forEach((text) => found.add(text));
  const visit = (value: Value): void => {
    const element = elementOf(value);
    if (element && arrays.has(render(element.array))) note(element.index);
  };
  for (const node of program.nodes) {
    if (node.kind === "assign" && node.value) visit(node.value);
    if (node.kind !== "call") continue;
    node.args.forEach((arg) => visit(samePage(arg)));
    for (const effect of node.effects)
      if (effect.kind === "unpin" && arrays.has(render(partOf(effect.pages).array))) {
        note(effect.count);
        note(partOf(effect.pages).first);
      }
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind === "branch" && node.condition.kind === "binary") {
        const sides = [node.condition.left, node.condition.right].map((side) => textsOf(leaves(side)));
        if (/^(?:[<>]=?|[=!]=)$/.test(node.condition.operator) && sides.some((side) => side.some((text) => found.has(text)))) sides.flat().forEach((text) => found.add(text));
      }
      if (node.kind !== "assign" || !node.value || !isPlace(node.target)) continue;
      const parts = textsOf(leaves(node.value));
      if (found.has(render(node.target))) parts.forEach((text) => found.add(text));
      else if (node.value.kind !== "binary" && parts.some((text) => found.has(text))) found.add(render(node.target));
    }
  }
  return found;
}

/** Reads what a function does with the pages of the call at a node; null where that cannot be told. */
export function userPages(program: EffectProgram, node: NodeId): UserPages | null {
  const at = gupAt(program, node);
  if (!at?.gup.pages) return null;
  const { call, gup } = at;
  const isAddress = gup.pages?.kind === "unary" && gup.pages.operator === "&" && gup.pages.of.kind !== "index";
  const base = gup.pages && partOf(gup.pages).array;
  if (!base || !isPlace(base) || render(base) === "NULL") return null;
  const arrays = isAddress ? new Set<string>() : closure(program, [render(base)], (value, found) => isPlace(value) && found.has(render(value)));
  const isPage = (value: Value, found: ReadonlySet<string>): boolean => {
    const one = samePage(value);
    const element = elementOf(one);
    return (element !== null && arrays.has(render(element.array))) || (isPlace(one) && found.has(render(one)));
  };
  const pages = closure(program, isAddress ? [render(base)] : [], isPage);
  const numbers = numbersOf(program, call, gup, arrays);
  const count = pageCount(call, gup);
  const sizes = closure(program, textsOf(count ? wholeOf(count) : []), () => false);
  const taking = new Set(
    program.nodes.flatMap((one) =>
      one.kind === "call" && one.effects.some((effect) => effect.kind === "gup" && effect.pages && isSameArray(effect.pages, arrays, pages)) ? [one.at] : [],
    ),
  );
  const isLocal = (name: string): boolean => program.variables.get(name)?.isParameter === false;
  const comesFromOutside = program.nodes.some(
    (one) => one.kind === "assign" && one.value !== null && arrays.has(render(one.target)) && isPlace(one.value) && render(one.value) !== "NULL" && !isLocal(render(one.value)),
  );
  return { call, gup, taking, arrays, pages, numbers, sizes, isOwn: isLocal(render(base)) && !comesFromOutside, isIndexed: !hasCursor(program, arrays, pages) };
}

/** True where a pointer is made of the array, or of a page, and arithmetic: `*pp++`, `p = pages + n`, `page += 1`. */
const hasCursor = (program: EffectProgram, arrays: ReadonlySet<string>, pages: ReadonlySet<string>): boolean =>
  program.nodes.some((node) => {
    if (node.kind !== "assign") return false;
    const isIt = (text: string): boolean => arrays.has(text) || pages.has(text);
    if (isIt(render(node.target)) && node.operator !== "=") return true;
    const isPointer = node.target.kind !== "name" || (program.variables.get(node.target.name)?.pointers ?? 1) > 0;
    return isPointer && node.value !== null && pointsInto(node.value, isIt);
  });

/** True for a sum with such a name, and for the address of an element. */
function pointsInto(value: Value, isIt: (text: string) => boolean): boolean {
  if (value.kind === "unary" && value.operator === "&") return value.of.kind === "index" && isIt(render(value.of.of));
  if (value.kind === "conditional") return [value.then, value.otherwise].some((part) => part !== null && (isIt(render(part)) || pointsInto(part, isIt)));
  if (value.kind !== "binary" || (value.operator !== "+" && value.operator !== "-")) return false;
  return [value.left, value.right].some((part) => isIt(render(part)) || pointsInto(part, isIt));
}

const isSameArray = (value: Value, arrays: ReadonlySet<string>, pages: ReadonlySet<string>): boolean => {
  const text = render(partOf(value).array);
  return arrays.has(text) || pages.has(text);
};
