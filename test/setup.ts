// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";

// The same programs, mails and texts on every machine; FUZZ_SEED=n explores others.
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 20_261_120) });
