// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, not } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { isReadOnlyPte } from "../../../simulator/objects/pte.ts";
import { isReady, requestName, type GupRequest } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

const READS: GupRequest = { write: false, pin: false };

/** One thread: nobody else is needed, and nobody stores. */
export function readOfProtected(era: EraBehavior): Model {
  const model = modelBuilder("read-of-protected");
  const memory = privateMemory(model, era);
  const a = addressSpace(memory, "A", 1);
  const event = model.field("event", 0, { labels: { 0: "none", 1: "write fault reported" } });
  const reader = model.thread("process_vm_readv()", "review");
  const ready = isReady(memory, a, READS);
  reader.step({
    text: `${memory.behavior.names.follow}: try_grab_page(${requestName(READS)})`,
    alternatives: [
      { guard: ready, note: "takes the page as it is mapped", to: "taken" },
      { guard: not(ready), note: "should_force_cow_break(): must fault for write" },
    ],
  });
  reader.step({ text: "do_wp_page(): handle_userfault(VM_UFFD_WP)", guard: isReadOnlyPte(a.pte), effect: [assign(event, 1)] });
  reader.label("taken");
  const read = reader.step({
    text: "reads the page",
    checks: [{ holds: eq(event, 0), property: "false-event", message: "the monitor is told of a write, and nobody has written: a monitor that reads the page waits for itself" }],
  });
  model.reach(reader, read, "the page is read");
  return model.finish();
}

/** Breaking COW early turns a read of a write-protected page into a write fault. */
export const readOfProtectedScenario: CatalogueScenario = {
  id: "read-of-protected",
  rules: ["gup-cow-obsolete"],
  title: "the kernel reads a page that is under uffd-wp",
  sources: ["17839856fd58 (5.8), a308c71bf1e6 (5.9-rc4)", "merge b25d1dc9474e: damage of the early COW break"],
  properties: ["false-event"],
  deadlock: false,
  livelock: null,
  variants: [{ id: "get-read", what: "FOLL_GET without FOLL_WRITE", isFixed: false }],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ era }) => readOfProtected(ERAS[era]),
  expected: ({ era }) => (era === "E1" ? "fail" : "pass"),
};
