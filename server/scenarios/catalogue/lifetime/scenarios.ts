// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { mmUsers } from "./mm-users.ts";
import { putWithoutGet } from "./put-without-get.ts";
import { unpinBeforeSync } from "./unpin-before-sync.ts";
import { unpinOfGet } from "./unpin-of-get.ts";
import { vmaAfterDetach } from "./vma-after-detach.ts";

/** References: to an address space, a VMA, a page; taken too late, given back twice, or too early. */
export const LIFETIME_SCENARIOS: readonly CatalogueScenario[] = [mmUsers, vmaAfterDetach, putWithoutGet, unpinOfGet, unpinBeforeSync];
