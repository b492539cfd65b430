// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { assign, assignAt } from "../../../simulator/effect.ts";
import { element, eq, ne, not, type Field } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import { maybePinned } from "../../../simulator/objects/folio.ts";
import { folioOf, isWritablePte, readOnlyPte, writablePte } from "../../../simulator/objects/pte.ts";
import { addProgramming, dmaDevice, type Device } from "../../environment/device.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addFastGup } from "../../mechanism/gup-fast.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** What the kernel does about pins when it is asked to write-protect. */
type Policy = "none" | "refuse-pinned" | "check-before-clear" | "refuse-after-pins" | "flag-before-protect";

interface Told {
  readonly policy: Policy;
  readonly tracking: "uffd-wp" | "mprotect";
  /** FOLL_PIN, else FOLL_GET. */
  readonly pin: boolean;
}

const TOLD: Readonly<Record<string, Told>> = {
  "uffd-wp": { policy: "none", tracking: "uffd-wp", pin: true },
  mprotect: { policy: "none", tracking: "mprotect", pin: true },
  "refuse-pinned": { policy: "refuse-pinned", tracking: "uffd-wp", pin: true },
  "refuse-pinned-get": { policy: "refuse-pinned", tracking: "uffd-wp", pin: false },
  "check-before-clear": { policy: "check-before-clear", tracking: "uffd-wp", pin: true },
  "refuse-after-pins": { policy: "refuse-after-pins", tracking: "uffd-wp", pin: true },
  "flag-before-protect": { policy: "flag-before-protect", tracking: "uffd-wp", pin: true },
};

interface World {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly device: Device;
  /** Somebody who writes to a protected page is reported here. */
  readonly event: Field;
  readonly snapshot: Field;
}

const CONTENTS = { 0: "old data", 1: "data of the device", 2: "data of a CPU" };

const begin = (model: ModelBuilder, era: EraBehavior): World => {
  const memory = privateMemory(model, era, { contents: CONTENTS });
  return {
    memory,
    a: addressSpace(memory, "A", 2),
    device: dmaDevice(memory),
    event: model.field("event", 0, { labels: { 0: "none", 1: "write fault reported" } }),
    snapshot: model.field("snapshot", 0, { labels: CONTENTS }),
  };
};

/** The pin asks for write access; on a protected entry it waits for the monitor. */
function addPin(model: ModelBuilder, { memory, a, device }: World, { pin }: Told): void {
  const thread = model.thread(pin ? "pin_user_pages_fast()" : "get_user_pages_fast()", "environment");
  const page = thread.local("page", 0, { hidden: true });
  addFastGup(thread, memory, a, {
    request: { write: true, pin }, page, registers: faultRegisters(thread), prefix: "gup", walksForWrite: true,
    instead: "faultin_page(): waits for the write-protection to end",
  });
  model.reach(thread, addProgramming(thread, device, page), "the page is pinned");
}

/** Looks for pins, and says no where there are any. */
function addPinTest(thread: ThreadBuilder, { memory, a }: World, page: Field): void {
  const pinned = maybePinned(memory.folios, page);
  thread.step({
    text: "page_maybe_dma_pinned()?",
    isFix: true,
    alternatives: [
      { guard: pinned, effect: [assign(a.pte.value, writablePte(page))], to: "END", note: "yes: the entry is restored, -EBUSY" },
      { guard: not(pinned), note: "no" },
    ],
  });
}

function addFlagTest(thread: ThreadBuilder, { a }: World): void {
  thread.step({
    text: "MMF_HAS_PINNED?",
    isFix: true,
    alternatives: [
      { guard: eq(a.hasPinned, 1), to: "END", note: "set: the monitor is told that writes can go unseen" },
      { guard: eq(a.hasPinned, 0), note: "not set" },
    ],
  });
}

/** `change_pte_range()`: the entry is cleared, then written back read-only; lockless walkers see both. */
function addProtection(thread: ThreadBuilder, world: World, { policy, tracking }: Told): void {
  const { a } = world;
  const page = thread.local("page protected", 0, { hidden: true });
  thread.step({ text: tracking === "uffd-wp" ? "ioctl(UFFDIO_WRITEPROTECT)" : "mprotect(PROT_READ)", guard: isWritablePte(a.pte), effect: [assign(page, folioOf(a.pte))] });
  if (policy === "check-before-clear") addPinTest(thread, world, page);
  if (policy === "flag-before-protect") addFlagTest(thread, world);
  thread.step({ text: "ptep_modify_prot_start(): the entry is cleared", effect: [assign(a.pte.value, 0)] });
  if (policy === "refuse-pinned") addPinTest(thread, world, page);
  thread.step({
    text: `ptep_modify_prot_commit(): read-only${tracking === "uffd-wp" ? ", uffd-wp" : ""}; TLB flush`,
    effect: [assign(a.pte.value, readOnlyPte(page))],
  });
  if (policy === "refuse-after-pins") addFlagTest(thread, world);
}

function addMonitor(model: ModelBuilder, world: World, told: Told): void {
  const { memory, a, event, snapshot } = world;
  const content = element(memory.folios.content, folioOf(a.pte));
  const thread = model.thread("monitor", "review");
  addProtection(thread, world, told);
  thread.step({ text: "takes a snapshot of the page", effect: [assign(snapshot, content)] });
  const trusts = thread.step({
    text: "no event has come: the snapshot is the page",
    alternatives: [
      {
        guard: eq(event, 0),
        checks: [{ holds: eq(snapshot, content), property: "missed-write", message: "the page was written without an event: the monitor has an old copy of it" }],
      },
      { guard: ne(event, 0), to: "END", note: "an event: takes a new one" },
    ],
  });
  model.reach(thread, trusts, "the monitor relies on its snapshot");
}

/** A store of the process: seen where the entry is protected. */
function addProcess(model: ModelBuilder, { memory, a, event }: World, { tracking }: Told): void {
  const thread = model.thread("process A", "environment");
  const writable = isWritablePte(a.pte);
  const store = thread.step({
    text: "stores to va",
    alternatives: [
      { guard: writable, effect: [assignAt(memory.folios.content, folioOf(a.pte), 2)], to: "END" },
      { guard: not(writable), note: "write fault" },
    ],
  });
  const reported = thread.step({ text: tracking === "uffd-wp" ? "handle_userfault(): event" : "SIGSEGV to the monitor's handler", effect: [assign(event, 1)] });
  model.reach(thread, store, "the process stores");
  model.reach(thread, reported, "a store is seen");
}

function addTransfer(model: ModelBuilder, { memory, device }: World): void {
  const thread = model.thread("device", "daemon");
  const step = thread.step({ text: "DMA writes the page: no page table, no fault", guard: ne(device.page, 0), effect: [assignAt(memory.folios.content, device.page, 1)] });
  model.reach(thread, step, "the device works");
}

/** The model of a variant under any rules, those of no era included. */
export function writeProtectPinned(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`write-protect-pinned, ${variant}`);
  const world = begin(model, era);
  addMonitor(model, world, told);
  addPin(model, world, told);
  addProcess(model, world, told);
  addTransfer(model, world);
  return model.finish();
}

/** No kernel has a policy: those are built where what they need exists, PageAnonExclusive and MMF_HAS_PINNED. */
const WITH_POLICY: readonly GupEra[] = ["E5", "E6", "E7"];

const SNAPSHOT_THEN_DMA: readonly OrderedStep[] = [
  { thread: "pin_user_pages_fast()", step: "the device gets the page (IOMMU, PFN)" },
  { thread: "monitor", step: "ptep_modify_prot_commit(): read-only, uffd-wp; TLB flush" },
  { thread: "monitor", step: "takes a snapshot of the page" },
  { thread: "device", step: "DMA writes the page: no page table, no fault" },
  { thread: "monitor", step: "no event has come: the snapshot is the page" },
];

/** Write protection finds stores of CPUs; a device that was given the page writes on. */
export const writeProtectPinnedScenario: CatalogueScenario = {
  id: "write-protect-pinned",
  rules: ["write-protect-ignores-pins"],
  title: "uffd-wp or mprotect of a page that a device writes to",
  sources: [
    "Nadav Amit and David Hildenbrand, Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures, 5 January 2023",
    "mm/mprotect.c:175, mm/userfaultfd.c:738 (6.1.192): pins are not looked at",
  ],
  properties: ["missed-write"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "uffd-wp", what: "UFFDIO_WRITEPROTECT (5.7) does not look at pins", isFixed: false },
    { id: "mprotect", what: "mprotect() and a signal handler, as trackers did before uffd-wp", isFixed: false },
    { id: "refuse-pinned", what: "-EBUSY where the page is pinned, asked while the entry is clear", isFixed: true },
    { id: "refuse-pinned-get", what: "-EBUSY where the page is pinned, and the reference is FOLL_GET (O_DIRECT up to 6.2)", isFixed: false },
    { id: "check-before-clear", what: "-EBUSY where the page is pinned, asked before the entry is cleared", isFixed: false },
    { id: "refuse-after-pins", what: "the monitor is told where the mm ever had pins, asked after the protection", isFixed: true },
    { id: "flag-before-protect", what: "the monitor is told where the mm ever had pins, asked before the protection", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => (TOLD[variant]?.policy === "none" || WITH_POLICY.includes(era) ? writeProtectPinned(variant, ERAS[era]) : null),
  expected: ({ variant }) => (variant === "refuse-pinned" || variant === "refuse-after-pins" ? "pass" : "fail"),
  orders: [{ source: "Nadav Amit, O_DIRECT'd memory under uffd-wp", variant: "uffd-wp", era: "E5", steps: SNAPSHOT_THEN_DMA, expected: "fail" }],
};
