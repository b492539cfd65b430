// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq } from "../../../simulator/expression.ts";
import { together } from "../../../simulator/combine.ts";
import { folioLives, folios, getFolio, putFolio } from "../../../simulator/objects/folio.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Pages of a bvec are handed out without a reference, and given back with one. */
export const putWithoutGet: CatalogueScenario = {
  id: "folio-put-without-get",
  rules: ["reference-imbalance"],
  title: "a folio is put by somebody who took no reference",
  sources: ["770c8d55c428: pages of a bvec that coalesces several folios are put by 9p and were not got", "lib/iov_iter.c (6.1.192): iov_iter_get_pages_alloc2(), get_page() for each page"],
  properties: ["double-free"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "no-reference", what: "iov_iter_get_pages_alloc2() of a bvec takes no reference to the later pages", isFixed: false },
    { id: "reference", what: "a reference to each page", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`folio-put-without-get, ${variant}`);
    const all = folios(model, 1, 1, ["P"]);
    const done = model.field("request", 0, { hidden: true });
    const request = model.thread("p9_virtio_zc_request()", "review");
    if (variant === "reference") request.step({ text: "iov_iter_get_pages_alloc2(): get_page(P)", isFix: true, ...getFolio(all, 1) });
    request.step({ text: "the server fills P", checks: [folioLives(all, 1)] });
    const put = request.step({ text: "p9_release_pages(): put_page(P)", ...together(putFolio(all, 1), { alternatives: [{ effect: [assign(done, 1)] }] }) });
    const cache = model.thread("page cache", "environment");
    const last = cache.step({ text: "the folio is removed and put", ...together({ alternatives: [{ guard: eq(done, 1) }] }, putFolio(all, 1)) });
    model.reach(request, put, "the request gives its pages back");
    model.reach(cache, last, "the page cache gives its reference up");
    return model.finish();
  },
  expected: ({ variant }) => (variant === "reference" ? "pass" : { fails: "double-free" }),
};
