//! What one caller may hold at once, and all together: streams of lines, chunks of them in the queue, bytes of bodies.
//! Each is a part of what there is, so that no caller keeps the others out.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use super::problem::Problem;
use super::rate::Caller;
use crate::config::room;
use crate::serving::Share;

/// Streams of lines at once.
const STREAMS: usize = 256;
const STREAMS_OF_CALLER: usize = 64;
/// Chunks of lines that one caller may have in the queue: two streams' worth, so that one alone keeps the workers busy.
const CHUNKS_OF_CALLER: usize = 8;
/// Bodies by zstd at once, since each may keep a window.
const WINDOWS: usize = 32;
const WINDOWS_OF_CALLER: usize = 8;
/// Bytes are counted in blocks.
const BLOCK: usize = 4096;
/// Who finds no room for a body waits so long for some.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Cores of this machine.
pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Stretches that are folded at once.
pub(super) fn folding_cores() -> usize {
    cores().saturating_sub(1).max(1)
}

/// Knows every caller who holds something.
pub struct Callers {
    streams: Arc<Semaphore>,
    windows: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    /// For the bodies of jobs, beside those of whoever waits.
    job_bodies: Arc<Semaphore>,
    /// Blocks of bodies that one caller may hold.
    blocks_of_caller: usize,
    shares: Mutex<HashMap<Caller, Weak<CallerShare>>>,
}

/// What one caller may still take.
pub struct CallerShare {
    /// Where its rows wait that come line by line.
    pub room: Share,
    streams: Arc<Semaphore>,
    /// For each chunk of lines in the queue.
    pub chunks: Arc<Semaphore>,
    /// For each stretch of folding: the next is done after everybody else's who waits.
    pub folds: Arc<Semaphore>,
    windows: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

/// Held while a stream of lines, or a body by zstd, lasts.
pub struct SharePermit {
    /// The share of its caller.
    pub share: Arc<CallerShare>,
    _permits: [OwnedSemaphorePermit; 2],
}

/// Held while a body, the rows in it and the reply to it take memory.
pub struct BodyPermit {
    callers: [Arc<Semaphore>; 2],
    permits: Option<[OwnedSemaphorePermit; 2]>,
    /// Blocks that one caller may have at all.
    most: usize,
    /// The share of the body's caller.
    pub share: Arc<CallerShare>,
}

impl Callers {
    /// With room for so many bytes of bodies.
    pub fn new(body_bytes: usize) -> Self {
        let blocks = (body_bytes / BLOCK).clamp(2, Semaphore::MAX_PERMITS);
        Self {
            streams: Arc::new(Semaphore::new(STREAMS)),
            windows: Arc::new(Semaphore::new(WINDOWS)),
            bodies: Arc::new(Semaphore::new(blocks)),
            job_bodies: Arc::new(Semaphore::new(blocks / 2)),
            blocks_of_caller: blocks / 2,
            shares: Mutex::default(),
        }
    }

    /// The share of one caller.
    pub fn share(&self, caller: &Caller) -> Arc<CallerShare> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(caller).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(CallerShare {
            room: if *caller == Caller::Jobs { Share::Jobs } else { Share::Lines },
            streams: Arc::new(Semaphore::new(STREAMS_OF_CALLER)),
            chunks: Arc::new(Semaphore::new(CHUNKS_OF_CALLER)),
            folds: Arc::new(Semaphore::new(folding_cores())),
            windows: Arc::new(Semaphore::new(WINDOWS_OF_CALLER)),
            bodies: Arc::new(Semaphore::new(self.blocks_of_caller)),
        });
        shares.insert(caller.clone(), Arc::downgrade(&share));
        share
    }

    /// Lets a stream of lines begin.
    pub fn stream(&self, caller: &Caller) -> Result<SharePermit, Problem> {
        let share = self.share(caller);
        SharePermit::of([&share.streams.clone(), &self.streams], share)
    }

    /// Lets a body by zstd be unpacked.
    pub fn window(&self, caller: &Caller) -> Result<SharePermit, Problem> {
        let share = self.share(caller);
        SharePermit::of([&share.windows.clone(), &self.windows], share)
    }

    /// Room for a body of which nothing has come yet.
    pub fn body(&self, caller: &Caller) -> BodyPermit {
        let share = self.share(caller);
        let all = if *caller == Caller::Jobs { &self.job_bodies } else { &self.bodies };
        BodyPermit {
            callers: [share.bodies.clone(), all.clone()],
            permits: None,
            most: self.blocks_of_caller,
            share,
        }
    }

    /// Forgets who holds nothing.
    pub fn forget_idle(&self) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        shares.shrink_to_fit();
    }
}

impl SharePermit {
    /// A place of the caller's and of all.
    ///
    /// # Errors
    /// [`Problem::QueueFull`] where one of them is not free.
    fn of([own, all]: [&Arc<Semaphore>; 2], share: Arc<CallerShare>) -> Result<Self, Problem> {
        let take = |places: &Arc<Semaphore>| places.clone().try_acquire_owned();
        let permits = take(own).and_then(|own| Ok([own, take(all)?]));
        let permits = permits.map_err(|_: TryAcquireError| Problem::QueueFull(1))?;
        Ok(Self { share, _permits: permits })
    }
}

impl BodyPermit {
    /// Makes it hold the [`room`] of a body.
    ///
    /// # Errors
    /// Those of [`Self::can_hold`] and [`Self::grow`].
    pub async fn grow_by_rows(&mut self, bytes: usize, rows: usize, passed: usize) -> Result<(), Problem> {
        let room = room(bytes, rows, passed);
        self.can_hold(bytes, room)?;
        self.grow(room).await
    }

    /// Keeps the room until the reply was taken, or nobody wants it any more.
    pub fn hold(self, response: Response) -> Response {
        if self.permits.is_none() {
            return response;
        }
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _held = &self;
                frame
            }))
        })
    }

    /// Whether a caller may ever have this room for a body of `bytes`: who waits for more waits for ever.
    ///
    /// # Errors
    /// [`Problem::BodyTooLarge`], with how many bytes of such a body would do.
    pub fn can_hold(&self, bytes: usize, room: usize) -> Result<(), Problem> {
        let most = self.most * BLOCK;
        if room <= most {
            return Ok(());
        }
        Err(Problem::BodyTooLarge((bytes as u128 * most as u128 / room as u128) as usize))
    }

    /// Makes it hold room for `bytes` in all. The first block is free: a small body needs no room, since connections
    /// are bounded.
    ///
    /// # Errors
    /// [`Problem::QueueFull`] where there was none for a moment.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let held = self.permits.as_ref().map_or(0, |[own, _]| own.num_permits());
        let more = (bytes / BLOCK).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Problem::QueueFull(1))?;
        let take = async |room: &Arc<Semaphore>| {
            let waiting = timeout(A_MOMENT, room.clone().acquire_many_owned(more)).await;
            waiting.ok().and_then(Result::ok).ok_or(Problem::QueueFull(1))
        };
        let [own, all] = [take(&self.callers[0]).await?, take(&self.callers[1]).await?];
        match &mut self.permits {
            Some([first, second]) => {
                first.merge(own);
                second.merge(all);
            }
            None => self.permits = Some([own, all]),
        }
        Ok(())
    }
}
