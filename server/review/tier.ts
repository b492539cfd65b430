// SPDX-License-Identifier: GPL-2.0-only
import type { Tier } from "./finding.ts";

const RANK: Readonly<Record<Tier, number>> = { pattern: 0, contract: 1, proved: 2 };

/** True where evidence is as strong as `least`. */
export const isAtLeast = (tier: Tier, least: Tier): boolean => RANK[tier] >= RANK[least];
