// SPDX-License-Identifier: GPL-2.0-only

/**
 * Strongly connected components of what `root` reaches, callees before their callers (Tarjan 1972, without recursion:
 * hostile text has long chains). Components are those of the whole graph, whichever root they are reached from.
 */
export function componentsFrom<T>(root: T, next: (node: T) => readonly T[]): readonly (readonly T[])[] {
  const order = new Map<T, number>();
  const low = new Map<T, number>();
  const stack: T[] = [];
  const onStack = new Set<T>();
  const found: T[][] = [];
  const work: { readonly node: T; readonly children: readonly T[]; at: number }[] = [];
  const enter = (node: T): void => {
    order.set(node, order.size);
    low.set(node, order.size - 1);
    stack.push(node);
    onStack.add(node);
    work.push({ node, children: next(node), at: 0 });
  };
  const lower = (node: T, to: number): void => void low.set(node, Math.min(low.get(node) ?? to, to));
  enter(root);
  for (let top = work.at(-1); top; top = work.at(-1)) {
    const child = top.children[top.at++];
    if (child !== undefined) {
      if (!order.has(child)) enter(child);
      else if (onStack.has(child)) lower(top.node, order.get(child) ?? 0);
      continue;
    }
    work.pop();
    const above = work.at(-1);
    if (above) lower(above.node, low.get(top.node) ?? 0);
    if (low.get(top.node) === order.get(top.node)) found.push(unwound(stack, onStack, top.node));
  }
  return found;
}

/** The part of the stack from the node on, taken off it. */
function unwound<T>(stack: T[], onStack: Set<T>, node: T): T[] {
  const component = stack.splice(stack.lastIndexOf(node));
  for (const one of component) onStack.delete(one);
  return component;
}
