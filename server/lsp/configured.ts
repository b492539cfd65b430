// SPDX-License-Identifier: GPL-2.0-only
import { rules } from "../review/catalogue.ts";
import type { FileProblem } from "../review/configuration/file-problem.ts";
import type { Finding, Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import { withoutConfigured } from "../review/suppression/in-configuration.ts";
import { expiredMessage, staleInFile, staleMessage } from "../review/suppression/stale.ts";
import type { Suppression } from "../review/suppression/suppression.ts";
import { isAtLeast } from "../review/tier.ts";
import type { Configurations, LoadedConfiguration } from "./configurations.ts";
import type { ReviewedDocument } from "./review-cache.ts";
import type { SettingsCache } from "./settings.ts";

/** Settings with what a configuration says of rules, and reviews without what it says of findings. */
export interface ConfiguredSettings extends SettingsCache {
  /** What of a review is shown, made with options that `of` gave. */
  readonly settle: (reviewed: ReviewedDocument, options: ReviewOptions) => ReviewedDocument;
}

/** Where a finding of a document is, as patterns of a configuration name it. */
export const fileOf = (reviewed: Pick<ReviewedDocument, "kind" | "file" | "document">, configuration: string) => ({ location }: Finding): string | null => {
  if (reviewed.kind === "patch") return location.file;
  const folder = configuration.slice(0, configuration.lastIndexOf("/") + 1);
  const { uri } = reviewed.document;
  return reviewed.file?.path ?? (uri.startsWith(folder) ? decoded(uri.slice(folder.length)) : null);
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What the user's settings say comes before what a project says. */
export function configured(settings: SettingsCache, configurations: Configurations): ConfiguredSettings {
  interface Origin {
    readonly plain: ReviewOptions;
    readonly loaded: LoadedConfiguration;
    readonly options: ReviewOptions;
  }
  /** Options of the same settings and the same configuration are the same object. */
  const made = new WeakMap<ReviewOptions, WeakMap<LoadedConfiguration, Origin>>();
  const origins = new WeakMap<ReviewOptions, Origin>();

  function merged(plain: ReviewOptions, loaded: LoadedConfiguration): ReviewOptions {
    const byConfiguration = made.get(plain) ?? new WeakMap<LoadedConfiguration, Origin>();
    made.set(plain, byConfiguration);
    const known = byConfiguration.get(loaded);
    if (known) return known.options;
    const { rules: levels, suppressions } = loaded.configuration;
    // What a suppression names may be below the tier that is shown: it is not stale for that.
    const options: ReviewOptions = { ...plain, rules: { ...levels, ...plain.rules }, minTier: suppressions.length > 0 ? "pattern" : plain.minTier };
    const origin = { plain, loaded, options };
    byConfiguration.set(loaded, origin);
    origins.set(options, origin);
    return options;
  }

  return {
    ...settings,
    async of(uri) {
      const plain = await settings.of(uri);
      const loaded = await configurations.of(uri);
      return loaded ? merged(plain, loaded) : plain;
    },
    settle(reviewed, options) {
      const origin = origins.get(options);
      if (origin === undefined) return reviewed;
      const { plain, loaded } = origin;
      const { suppressions } = loaded.configuration;
      const problems: FileProblem[] = [];
      const reviews = reviewed.reviews.map((review): Review => {
        const { review: kept, sorted } = withoutConfigured(review, suppressions, fileOf(reviewed, loaded.uri));
        const { file } = reviewed;
        const stale = file === null ? [] : staleInFile(suppressions, sorted.used, file.path, review, options, rules());
        problems.push(...stale.map((one) => problemAt(one, "suppression-stale", staleMessage(one))));
        problems.push(...[...sorted.expired].map((one) => problemAt(one, "suppression-expired", expiredMessage(one, review.target.release))));
        const isShown = ({ tier }: Finding): boolean => isAtLeast(tier, plain.minTier);
        return {
          ...kept, findings: kept.findings.filter(isShown),
          ...(kept.suppressed === undefined ? {} : { suppressed: kept.suppressed.filter(({ finding }) => isShown(finding)) }),
        };
      });
      configurations.note(reviewed.document.uri, loaded, problems);
      return { ...reviewed, reviews };
    },
  };
}

const problemAt = ({ place: { line, column, endColumn } }: Suppression, code: string, message: string): FileProblem => ({ code, message, line, column, endColumn });
