// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../kernel/era.ts";
import { and, FALSE, not, or, type Expression } from "../../simulator/expression.ts";

/** What a call of GUP asks for. */
export interface UnshareRequest {
  readonly write: Expression;
  readonly pin: boolean;
  readonly longterm: Expression;
}

/** What `gup_must_unshare()` looks at. */
export interface UnsharePage {
  readonly anonymous: Expression;
  /** PageAnonExclusive. */
  readonly exclusive: Expression;
}

/** `gup_must_unshare()` (`include/linux/mm.h`): a read-only reference must not be taken before the page is unshared. */
export function mustUnshare(readOnlyGup: EraBehavior["readOnlyGup"], { anonymous, exclusive }: UnsharePage, { write, pin, longterm }: UnshareRequest): Expression {
  if (!pin || (readOnlyGup !== "unshare-pin" && readOnlyGup !== "unshare-pin-and-longterm")) return FALSE;
  const shared = and(anonymous, not(exclusive));
  const other = readOnlyGup === "unshare-pin-and-longterm" ? and(longterm, not(anonymous)) : FALSE;
  return and(not(write), or(shared, other));
}
