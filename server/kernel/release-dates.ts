// SPDX-License-Identifier: GPL-2.0-only
import { parseRelease, type Release } from "./release.ts";

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** The release before the first one of the table; development of 3.0 began with it. */
const BEFORE_FIRST = "2011-05-19";

/** Final releases of mainline, oldest first, from the tags of the mainline tree. */
const RELEASED: readonly (readonly [release: string, date: string])[] = [
  ["3.0", "2011-07-21"],
  ["3.1", "2011-10-24"],
  ["3.2", "2012-01-04"],
  ["3.3", "2012-03-18"],
  ["3.4", "2012-05-20"],
  ["3.5", "2012-07-21"],
  ["3.6", "2012-09-30"],
  ["3.7", "2012-12-10"],
  ["3.8", "2013-02-18"],
  ["3.9", "2013-04-28"],
  ["3.10", "2013-06-30"],
  ["3.11", "2013-09-02"],
  ["3.12", "2013-11-03"],
  ["3.13", "2014-01-19"],
  ["3.14", "2014-03-30"],
  ["3.15", "2014-06-08"],
  ["3.16", "2014-08-03"],
  ["3.17", "2014-10-05"],
  ["3.18", "2014-12-07"],
  ["3.19", "2015-02-08"],
  ["4.0", "2015-04-12"],
  ["4.1", "2015-06-21"],
  ["4.2", "2015-08-30"],
  ["4.3", "2015-11-01"],
  ["4.4", "2016-01-10"],
  ["4.5", "2016-03-13"],
  ["4.6", "2016-05-15"],
  ["4.7", "2016-07-24"],
  ["4.8", "2016-10-02"],
  ["4.9", "2016-12-11"],
  ["4.10", "2017-02-19"],
  ["4.11", "2017-04-30"],
  ["4.12", "2017-07-02"],
  ["4.13", "2017-09-03"],
  ["4.14", "2017-11-12"],
  ["4.15", "2018-01-28"],
  ["4.16", "2018-04-01"],
  ["4.17", "2018-06-03"],
  ["4.18", "2018-08-12"],
  ["4.19", "2018-10-22"],
  ["4.20", "2018-12-23"],
  ["5.0", "2019-03-03"],
  ["5.1", "2019-05-05"],
  ["5.2", "2019-07-07"],
  ["5.3", "2019-09-15"],
  ["5.4", "2019-11-24"],
  ["5.5", "2020-01-26"],
  ["5.6", "2020-03-29"],
  ["5.7", "2020-05-31"],
  ["5.8", "2020-08-02"],
  ["5.9", "2020-10-11"],
  ["5.10", "2020-12-13"],
  ["5.11", "2021-02-14"],
  ["5.12", "2021-04-25"],
  ["5.13", "2021-06-27"],
  ["5.14", "2021-08-29"],
  ["5.15", "2021-10-31"],
  ["5.16", "2022-01-09"],
  ["5.17", "2022-03-20"],
  ["5.18", "2022-05-22"],
  ["5.19", "2022-07-31"],
  ["6.0", "2022-10-02"],
  ["6.1", "2022-12-11"],
  ["6.2", "2023-02-19"],
  ["6.3", "2023-04-23"],
  ["6.4", "2023-06-25"],
  ["6.5", "2023-08-27"],
  ["6.6", "2023-10-29"],
  ["6.7", "2024-01-07"],
  ["6.8", "2024-03-10"],
  ["6.9", "2024-05-12"],
  ["6.10", "2024-07-14"],
  ["6.11", "2024-09-15"],
  ["6.12", "2024-11-17"],
  ["6.13", "2025-01-19"],
  ["6.14", "2025-03-24"],
  ["6.15", "2025-05-25"],
  ["6.16", "2025-07-27"],
  ["6.17", "2025-09-28"],
];

/** Releases of the table, oldest first. */
export const releasesByDate: readonly string[] = RELEASED.map(([release]) => release);

const pad = (number: number, width: number): string => String(number).padStart(width, "0");

const isDate = ({ year, month, day }: CalendarDate): boolean =>
  [year, month, day].every((part) => Number.isInteger(part)) && month >= 1 && month <= 12 && day >= 1 && day <= 31;

/**
 * The release whose development was open on a date: the first one that came out on that day or later.
 * Null outside of the table, and for what is no date.
 */
export function releaseAt(date: CalendarDate): Release | null {
  if (!isDate(date)) return null;
  const text = `${pad(date.year, 4)}-${pad(date.month, 2)}-${pad(date.day, 2)}`;
  if (text < BEFORE_FIRST || date.year > 9999) return null;
  const open = RELEASED.find(([, released]) => text <= released);
  return open ? parseRelease(open[0]) : null;
}

/** The mainline release before another one; null for the first of the table and for what is not in it. */
export function releaseBefore(release: string): string | null {
  const at = releasesByDate.indexOf(release);
  return at > 0 ? (releasesByDate[at - 1] ?? null) : null;
}
