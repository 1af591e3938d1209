//! Work on many threads, results in the order of the items, and no more of them in memory than are under way.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Result, anyhow};

/// Runs `work` over all items, a thread for each worker, and `take` on the results in order. The first error ends it.
pub(super) fn run<W: Send, I: Send, R: Send>(
    workers: Vec<W>,
    items: impl Iterator<Item = Result<I>> + Send,
    work: impl Fn(&W, I) -> Result<R> + Sync,
    take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let threads = workers.len();
    // Whoever is ahead waits for the slowest: no more results than tickets are kept.
    let (tickets, free) = sync_channel::<()>(4 * threads);
    let (jobs, waiting) = sync_channel::<(usize, Result<I>)>(threads);
    let (done, results) = sync_channel::<(usize, Result<R>)>(threads);
    let (waiting, work) = (Arc::new(Mutex::new(waiting)), &work);
    thread::scope(|scope| {
        scope.spawn(move || {
            for item in items.enumerate() {
                if tickets.send(()).is_err() || jobs.send(item).is_err() {
                    return;
                }
            }
        });
        for worker in workers {
            let (done, waiting) = (done.clone(), waiting.clone());
            scope.spawn(move || {
                while let Some((index, item)) = next(&waiting) {
                    // A fault in libtorch panics; who waits for this result has to hear of it.
                    let result = item.and_then(|item| {
                        let working = AssertUnwindSafe(|| work(&worker, item));
                        catch_unwind(working).unwrap_or_else(|_| Err(anyhow!("the network failed")))
                    });
                    if done.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((done, waiting));
        in_order(results, free, take)
    })
}

/// Takes results by their numbers. When it ends, early too, both channels are closed, so that nobody waits for it.
fn in_order<R>(
    results: Receiver<(usize, Result<R>)>,
    free: Receiver<()>,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let (mut kept, mut at) = (BTreeMap::new(), 0);
    for (index, result) in results {
        kept.insert(index, result);
        while let Some(result) = kept.remove(&at) {
            take(result?)?;
            at += 1;
            let _ = free.try_recv();
        }
    }
    Ok(())
}

fn next<I>(waiting: &Mutex<Receiver<I>>) -> Option<I> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_items_and_wait_for_the_slowest() {
        let (begun, mut taken) = (AtomicUsize::new(0), Vec::new());
        let work = |_: &(), item: usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            let slow = if item == 0 { 50 } else { 0 };
            thread::sleep(Duration::from_millis(slow));
            if item == 0 {
                assert!(
                    begun.load(Ordering::Relaxed) <= 4 * 3 + 1,
                    "no more are begun than there are tickets"
                );
            }
            Ok(item)
        };
        run(vec![(); 3], (0..200).map(Ok), work, |item| {
            taken.push(item);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, (0..200).collect::<Vec<_>>());
    }

    /// With endless items, so that a thread that is not told would run, or wait, for ever.
    #[test]
    fn whatever_fails_ends_it() {
        let items = || (0_usize..).map(Ok);
        let said = |result: Result<()>| result.unwrap_err().to_string();
        let full = run(
            vec![(); 2],
            items(),
            |(), item| Ok(item),
            |item| match item {
                7 => Err(anyhow!("the disk is full")),
                _ => Ok(()),
            },
        );
        assert_eq!(said(full), "the disk is full");
        let broken = run(
            vec![(); 2],
            items(),
            |(), item| if item == 9 { panic!("in libtorch") } else { Ok(item) },
            |_| Ok(()),
        );
        assert_eq!(said(broken), "the network failed");
        let torn = (0..).map(|item| if item == 5 { Err(anyhow!("line 5 is torn")) } else { Ok(item) });
        assert_eq!(said(run(vec![(); 2], torn, |(), item: i32| Ok(item), |_| Ok(()))), "line 5 is torn");
    }
}
