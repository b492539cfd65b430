// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { namesIn } from "../../program/render.ts";

/** Variables that decide which object a place means: `vma->vm_mm` means another one when vma does. */
export const namesOfPlace = (place: Value): readonly string[] => namesIn(place);
