// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { folios, getFolio, pinFolio, putFolio, unpinFolio, type Folios } from "../../../simulator/objects/folio.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Pair {
  readonly takes: "get" | "pin";
  readonly releases: "put" | "unpin";
}

const PAIRS: Readonly<Record<string, Pair>> = {
  "get-unpin": { takes: "get", releases: "unpin" },
  "get-put": { takes: "get", releases: "put" },
  "pin-unpin": { takes: "pin", releases: "unpin" },
};

function addDriver(model: ModelBuilder, name: string, role: "review" | "environment", all: Folios, { takes, releases }: Pair): void {
  const thread = model.thread(name, role);
  thread.step(takes === "pin" ? { text: "pin_user_pages_fast(F)", ...pinFolio(all, 1) } : { text: "get_user_pages_fast(F)", ...getFolio(all, 1) });
  const released = thread.step(releases === "unpin" ? { text: "unpin_user_page(F)", ...unpinFolio(all, 1) } : { text: "put_page(F)", ...putFolio(all, 1) });
  model.reach(thread, released, `${name} gives its reference back`);
}

/** References and pins are counted apart in a large folio: who mixes them takes somebody else's pin away. */
export const unpinOfGet: CatalogueScenario = {
  id: "unpin-of-reference",
  rules: ["gup-release-mismatch"],
  title: "a page of get_user_pages() is given back with unpin_user_page()",
  sources: ["Documentation/core-api/pin_user_pages.rst: FOLL_PIN and FOLL_GET are not mixed", "mm/gup.c (6.1.192): gup_put_folio()"],
  properties: ["underflow"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "get-unpin", what: "get_user_pages_fast(), then unpin_user_page()", isFixed: false },
    { id: "get-put", what: "get_user_pages_fast(), then put_page()", isFixed: true, undone: "get-unpin" },
    { id: "pin-unpin", what: "pin_user_pages_fast(), then unpin_user_page()", isFixed: true, undone: "get-unpin" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`unpin-of-reference, ${variant}`);
    const all = folios(model, 1, 1, ["F"]);
    addDriver(model, "driver", "review", all, PAIRS[variant]!);
    addDriver(model, "another driver", "environment", all, PAIRS["pin-unpin"]!);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "get-unpin" ? { fails: "underflow" } : "pass"),
};
