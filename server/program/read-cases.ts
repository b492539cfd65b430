// SPDX-License-Identifier: GPL-2.0-only
import { childByField, kindOf, namedChildren } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { Statement, SwitchCase, Value } from "./code.ts";
import { both, not } from "./condition.ts";
import { branchesOf, isConditional } from "./read-configured.ts";

/** `case A ... B` has a label with this operator. */
export const RANGE = "...";

interface OpenCase {
  readonly value: Value | null;
  readonly when: Value | null;
  readonly items: Statement[];
}

/**
 * The cases of a switch, in order of text. The grammar ends a case at a conditional: whatever stands behind one belongs
 * to the case before it, and cases inside of one exist in its configurations only.
 */
export function readCases(tree: SyntaxTree, body: number, readStatement: (node: number) => Statement, readValue: (node: number) => Value): SwitchCase[] {
  const cases: OpenCase[] = [];
  const add = (node: number, when: Value | null): void => {
    const last = cases.at(-1);
    if (kindOf(tree, node) === "case_statement") {
      const label = childByField(tree, node, "value");
      const rest = namedChildren(tree, node).filter((child) => child !== label);
      cases.push({ value: label < 0 ? null : rangeOr(readValue(label)), when, items: rest.map(readStatement) });
    } else if (isConditional(tree, node) && holdsCase(tree, node)) {
      let others = when;
      for (const { condition, nodes } of branchesOf(tree, node, readValue)) {
        for (const child of nodes) add(child, both(others, condition));
        if (condition) others = both(others, not(condition));
      }
    } else last?.items.push(underWhen(readStatement(node), when === last.when ? null : when));
  };
  for (const node of body < 0 ? [] : namedChildren(tree, body)) add(node, null);
  return cases.map(({ value, when, items: [first, ...rest] }) => ({
    value,
    body: first && rest.length === 0 ? first : { kind: "list", items: first ? [first, ...rest] : [] },
    ...(when ? { when } : {}),
  }));
}

/** Of `case A ... B` the overlay left one point. */
const rangeOr = (label: Value): Value => (label.kind === "binary" && label.operator === "." ? { ...label, operator: RANGE } : label);

/** A statement in front of the first case of a conditional still belongs to the case above. */
const underWhen = (statement: Statement, when: Value | null): Statement =>
  when ? { kind: "configured", condition: when, text: "#if", on: statement, off: { kind: "list", items: [] }, at: when.at } : statement;

function holdsCase(tree: SyntaxTree, node: number): boolean {
  return namedChildren(tree, node).some(
    (child) => kindOf(tree, child) === "case_statement" || (/^preproc_(?:if|ifdef|else|elif|elifdef)$/.test(kindOf(tree, child)) && holdsCase(tree, child)),
  );
}
