// SPDX-License-Identifier: GPL-2.0-only

/**
 * What is reached from `root` in groups: what comes back to itself through each other is one group, and what a group leads
 * to comes before it. What `isKnown` is left out. Tarjan's algorithm without recursion: hostile text has long chains.
 */
export function groupsFrom<T>(root: T, nextOf: (one: T) => readonly T[], isKnown: (one: T) => boolean): readonly (readonly T[])[] {
  const groups: T[][] = [];
  const order = new Map<T, { readonly number: number; low: number; isOpen: boolean }>();
  const open: T[] = [];
  const path: { readonly one: T; readonly next: readonly T[]; at: number }[] = [];
  const enter = (one: T): void => {
    order.set(one, { number: order.size, low: order.size, isOpen: true });
    open.push(one);
    path.push({ one, next: nextOf(one).filter((other) => !isKnown(other)), at: 0 });
  };
  const lower = (one: T, low: number): void => {
    const mark = order.get(one);
    if (mark && low < mark.low) mark.low = low;
  };
  const leave = (one: T): void => {
    const mark = order.get(one);
    const above = path.at(-1);
    if (above && mark) lower(above.one, mark.low);
    if (!mark || mark.low !== mark.number) return;
    const group = open.splice(open.lastIndexOf(one));
    for (const member of group) {
      const closed = order.get(member);
      if (closed) closed.isOpen = false;
    }
    groups.push(group);
  };
  enter(root);
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.next[top.at++];
    if (next === undefined) {
      path.pop();
      leave(top.one);
      continue;
    }
    const mark = order.get(next);
    if (!mark) enter(next);
    else if (mark.isOpen) lower(top.one, mark.number);
  }
  return groups;
}
