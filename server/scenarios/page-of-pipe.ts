// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, ThreadBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt } from "../simulator/effect.ts";
import { and, element, eq, ne, not, or, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";

/*
 * The page of a pipe (CVE-2020-29374): a child takes a read-only reference to a page that it shares with its parent,
 * drops its mapping, and the parent's next write reuses the page in place, because only mappings are counted
 * (do_wp_page() and reuse_swap_page() before 5.9). knowledge: 17839856fd58 "gup: document and work around 'COW can break
 * either way' issue".
 */

const X = 1;
/** Copy that the child's fault makes, copy that the parent's fault makes. */
export const CHILD_COPY = 2;
const PARENT_COPY = 3;
const PAGES = { labels: { 0: "none", 1: "X", 2: "copy of the child", 3: "copy of the parent" } };

export interface PipeObjects {
  readonly parent: Field;
  readonly child: Field;
  readonly parentWritable: Field;
  readonly childWritable: Field;
  readonly mapcount: Field;
  readonly refcount: Field;
  readonly secret: Field;
  /** Page that the child holds a reference to. */
  readonly taken: Field;
}

/** After fork(): X is mapped read-only in both. */
export const pipeObjects = (model: ModelBuilder): PipeObjects => ({
  parent: model.field("pte(parent)", X, PAGES),
  child: model.field("pte(child)", X, PAGES),
  parentWritable: model.field("pte(parent) writable", 0, { labels: { 0: "no", 1: "yes" } }),
  childWritable: model.field("pte(child) writable", 0, { labels: { 0: "no", 1: "yes" } }),
  mapcount: model.array("mapcount", [0, 2, 0, 0]),
  refcount: model.array("refcount", [0, 2, 0, 0]),
  secret: model.array("secret in page", [0, 0, 0, 0], { hidden: true }),
  taken: model.field("reference of the child", 0, PAGES),
});

const drop = (objects: PipeObjects, entry: Field): Assignment[] => [decrementAt(objects.mapcount, entry), decrementAt(objects.refcount, entry)];

/** A write fault before 5.9: the page is reused when it is mapped once, whatever references there are. */
export function writeFault(objects: PipeObjects, entry: Field, writable: Field, copy: number, when: Expression): Alternative[] {
  const once = eq(element(objects.mapcount, entry), 1);
  return [
    { guard: and(when, once), effect: [assign(writable, 1)], note: "mapped once: the page is reused in place" },
    {
      guard: and(when, not(once)),
      effect: [...drop(objects, entry), assign(entry, copy), assignAt(objects.mapcount, copy, 1), assignAt(objects.refcount, copy, 1), assign(writable, 1)],
      note: "mapped twice: the page is copied",
    },
  ];
}

/** What the child does when it has its reference: it unmaps, and later looks at the page. */
export function afterGup(thread: ThreadBuilder, objects: PipeObjects): number {
  const { child, taken, secret } = objects;
  thread.label("has the reference");
  thread.step({
    text: "munmap(): the child drops its mapping",
    alternatives: [
      { guard: ne(child, 0), effect: [...drop(objects, child), assign(child, 0)] },
      { guard: eq(child, 0) },
    ],
  });
  return thread.step({
    text: "the child reads the page it holds",
    checks: [
      {
        holds: or(eq(taken, 0), eq(element(secret, taken), 0)),
        property: "info-leak",
        message: "the child reads what the parent wrote after the fork: both still use page X",
      },
    ],
  });
}

export function parentWrites(model: ModelBuilder, objects: PipeObjects): { thread: ThreadBuilder; store: number } {
  const { parent, parentWritable, secret } = objects;
  const thread = model.thread("parent", "environment");
  thread.step({
    text: "writes to the page: write fault",
    alternatives: [{ guard: eq(parentWritable, 1) }, ...writeFault(objects, parent, parentWritable, PARENT_COPY, eq(parentWritable, 0))],
  });
  const store = thread.step({ text: "stores its secret", effect: [assignAt(secret, parent, 1)] });
  return { thread, store };
}
