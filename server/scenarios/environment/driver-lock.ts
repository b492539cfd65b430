// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import { synchronize, type Readers } from "../../simulator/objects/rcu.ts";
import { spinLock, spinUnlock, type Spinlock } from "../../simulator/objects/spinlock.ts";

/** A driver that waits for a grace period with the mutex held that its notifier callback takes, as drivers do to retire a range. */
export function addGracePeriodUnderLock(model: ModelBuilder, mutex: Spinlock, readers: Readers): void {
  const driver = model.thread("driver", "environment");
  driver.step({ text: "mutex_lock(&driver->lock)", ...spinLock(mutex) });
  const wait = driver.step({ text: "synchronize_rcu()", ...synchronize(readers) });
  driver.step({ text: "mutex_unlock(&driver->lock)", ...spinUnlock(mutex) });
  model.reach(driver, wait, "the driver waits for a grace period");
}

/** A driver that faults a page in (get_user_pages(), copy_from_user()) with that mutex held. */
export function addFaultUnderLock(model: ModelBuilder, mutex: Spinlock, ptl: Spinlock): void {
  const driver = model.thread("driver", "environment");
  driver.step({ text: "mutex_lock(&driver->lock)", ...spinLock(mutex) });
  const fault = driver.step({ text: "handle_pte_fault(): spin_lock(vmf->ptl)", ...spinLock(ptl) });
  driver.step({ text: "handle_pte_fault(): spin_unlock(vmf->ptl)", ...spinUnlock(ptl) });
  driver.step({ text: "mutex_unlock(&driver->lock)", ...spinUnlock(mutex) });
  model.reach(driver, fault, "the driver faults");
}

/** The owner of a folio's lock waits for a grace period before it gives it up, for example to free a page table. */
export function addGracePeriodUnderFolioLock(model: ModelBuilder, lock: Spinlock, readers: Readers): void {
  const owner = model.thread("owner of the folio", "environment");
  owner.step({ text: "folio_lock(folio)", ...spinLock(lock) });
  const wait = owner.step({ text: "synchronize_rcu()", ...synchronize(readers) });
  owner.step({ text: "folio_unlock(folio)", ...spinUnlock(lock) });
  model.reach(owner, wait, "the owner waits for a grace period");
}
