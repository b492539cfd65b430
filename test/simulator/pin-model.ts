// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder, ThreadBuilder } from "../../server/simulator/build.ts";
import { assign, assignAt, decrementAt, increment, incrementAt } from "../../server/simulator/effect.ts";
import { and, element, eq, gt, lt, ne } from "../../server/simulator/expression.ts";
import type { Expression, Field } from "../../server/simulator/expression.ts";
import type { Assignment, Model } from "../../server/simulator/model.ts";
import { downRead, downWrite, rwsem, upRead, upWrite } from "../../server/simulator/objects/rwsem.ts";
import { spinLock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

/** No page. */
const NONE = 9;
const MOST_READERS = 254;

interface Objects {
  readonly model: ModelBuilder;
  readonly mmap: Field;
  readonly ptl: Field;
  readonly refs: Field;
  readonly pins: Field;
  readonly exclusive: Field;
  readonly dma: Field;
  readonly pteA: Field;
  readonly writable: Field;
  readonly pteB: Field;
  readonly device: Field;
  readonly done: Field;
  readonly next: Field;
  readonly forked: Field;
  readonly isFixed: boolean;
}

const declare = (isFixed: boolean): Objects => {
  const model = modelBuilder(`pin ${isFixed ? "fixed" : "broken"}`);
  return {
    model,
    mmap: rwsem(model, "mmap_lock(A)"),
    ptl: spinlock(model, "ptl(A)"),
    refs: model.array("refcount", [1, 0, 0, 0, 0]),
    pins: model.array("pincount", [0, 0, 0, 0, 0]),
    exclusive: model.array("exclusive", [1, 0, 0, 0, 0]),
    dma: model.array("dma", [0, 0, 0, 0, 0]),
    pteA: model.field("pte_A", 0),
    writable: model.field("pte_A.write", 1),
    pteB: model.field("pte_B", NONE),
    device: model.field("device", NONE),
    done: model.field("device done"),
    next: model.field("next", 1, { hidden: true }),
    forked: model.field("forked"),
    isFixed,
  };
};

/** Effect of taking a fresh page that only one process maps. */
const allocate = ({ refs, exclusive, next }: Objects, to: Field): Assignment[] => [
  assign(to, next),
  increment(next),
  assignAt(refs, to, 1),
  assignAt(exclusive, to, 1),
];

const addPin = (objects: Objects): void => {
  const { model, mmap, ptl, refs, pins, exclusive, dma, pteA, device } = objects;
  const pin = model.thread("pin", "review");
  const page = pin.local("page");
  pin.step({ text: "mmap_read_lock(A)", ...downRead(mmap) });
  pin.step({ text: "pte lock", ...spinLock(ptl) });
  if (objects.isFixed) {
    pin.step({
      text: "gup_must_unshare()",
      alternatives: [
        {
          guard: eq(element(exclusive, pteA), 0),
          effect: [
            ...allocate(objects, page),
            assignAt(dma, page, element(dma, pteA)),
            decrementAt(refs, pteA),
            assign(pteA, page),
            assign(page, 0),
          ],
        },
        { guard: eq(element(exclusive, pteA), 1) },
      ],
    });
  }
  pin.step({ text: "try_grab_folio(FOLL_PIN)", effect: [assign(page, pteA), incrementAt(refs, page), incrementAt(pins, page)] });
  pin.step({ text: "pte unlock", ...spinUnlock(ptl) });
  pin.step({ text: "mmap_read_unlock(A)", ...upRead(mmap) });
  pin.step({ text: "program the device", effect: [assign(device, page)] });
};

const addFork = (objects: Objects): void => {
  const { model, mmap, ptl, refs, pins, exclusive, pteA, pteB, writable, forked } = objects;
  const fork = model.thread("fork", "environment");
  const share = [assign(pteB, pteA), incrementAt(refs, pteA), assign(writable, 0), assignAt(exclusive, pteA, 0)];
  const isPinned = gt(element(pins, pteA), 0);
  fork.step({ text: "mmap_write_lock(A)", ...downWrite(mmap) });
  fork.step({ text: "pte lock", ...spinLock(ptl) });
  const copy = { guard: isPinned, effect: allocate(objects, pteB) };
  fork.step({
    text: "copy_present_pte()",
    alternatives: objects.isFixed ? [copy, { guard: eq(element(pins, pteA), 0), effect: share }] : [{ effect: share }],
  });
  fork.step({ text: "pte unlock", ...spinUnlock(ptl) });
  fork.step({ text: "mmap_write_unlock(A)", ...upWrite(mmap) });
  fork.step({ text: "the fork is done", effect: [assign(forked, 1)] });
};

const addChild = ({ model, refs, pteB, forked }: Objects): void => {
  model.thread("child exits", "environment").step({
    text: "exit_mmap(B)",
    guard: eq(forked, 1),
    effect: [decrementAt(refs, pteB), assign(pteB, NONE), assign(forked, 2)],
  });
};

const reuses = ({ isFixed, exclusive, refs, pteA }: Objects): { yes: Expression; no: Expression } =>
  isFixed
    ? { yes: eq(element(exclusive, pteA), 1), no: eq(element(exclusive, pteA), 0) }
    : { yes: eq(element(refs, pteA), 1), no: ne(element(refs, pteA), 1) };

const addWrite = (objects: Objects): void => {
  const { model, mmap, ptl, refs, dma, pteA, writable } = objects;
  const write = model.thread("write", "environment");
  const old = write.local("old");
  const copy = write.local("copy");
  const { yes, no } = reuses(objects);
  write.step({ text: "mmap_read_lock(A)", ...downRead(mmap) });
  write.step({ text: "store", alternatives: [{ guard: eq(writable, 1), to: "out" }, { guard: eq(writable, 0) }] });
  write.step({ text: "pte lock", ...spinLock(ptl) });
  const replace = [
    assign(old, pteA), ...allocate(objects, copy), assignAt(dma, copy, element(dma, old)), decrementAt(refs, old),
    assign(pteA, copy), assign(writable, 1), assign(old, 0), assign(copy, 0),
  ];
  write.step({ text: "do_wp_page()", alternatives: [{ guard: yes, effect: [assign(writable, 1)] }, { guard: no, effect: replace }] });
  write.step({ text: "pte unlock", ...spinUnlock(ptl) });
  write.label("out");
  write.step({ text: "mmap_read_unlock(A)", ...upRead(mmap) });
};

const addDeviceAndReader = ({ model, mmap, dma, device, done, pteA }: Objects): void => {
  model.thread("device", "environment").step({
    text: "DMA to the programmed page",
    guard: ne(device, NONE),
    effect: [assignAt(dma, device, 1), assign(done, 1)],
  });
  const reader = model.thread("read", "environment");
  reader.step({ text: "mmap_read_lock(A)", ...downRead(mmap), alternatives: [
    { guard: and(lt(mmap, MOST_READERS), eq(done, 1)), effect: [increment(mmap)] },
  ] });
  const check = {
    holds: eq(element(dma, pteA), 1),
    property: "lost-dma",
    message: "the buffer was replaced under the device",
  };
  model.reach(reader, reader.step({ text: "read the buffer", guard: eq(done, 1), checks: [check] }), "the buffer is read");
  reader.step({ text: "mmap_read_unlock(A)", ...upRead(mmap) });
};

const addHolder = ({ model, mmap, ptl, refs, pteA }: Objects, name: string): void => {
  const holder: ThreadBuilder = model.thread(name, "environment");
  const page = holder.local("page");
  holder.step({ text: "mmap_read_lock(A)", ...downRead(mmap) });
  holder.step({ text: "pte lock", ...spinLock(ptl) });
  holder.step({ text: "folio_get()", effect: [assign(page, pteA), incrementAt(refs, page)] });
  holder.step({ text: "pte unlock", ...spinUnlock(ptl) });
  holder.step({ text: "mmap_read_unlock(A)", ...upRead(mmap) });
  holder.step({ text: "folio_put()", effect: [decrementAt(refs, page), assign(page, 0)] });
};

/** A page is pinned for a device while its process forks and writes to it. `holders` more threads take short references. */
export const pinModel = (isFixed: boolean, holders = 0): Model => {
  const objects = declare(isFixed);
  addPin(objects);
  addFork(objects);
  addChild(objects);
  addWrite(objects);
  addDeviceAndReader(objects);
  for (let index = 0; index < holders; index++) addHolder(objects, `holder ${index}`);
  return objects.model.finish();
};
