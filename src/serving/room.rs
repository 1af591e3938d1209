//! Room for inputs that wait or run: how many of one model, by who asks, and how many bytes of all models.
//!
//! Small requests, large ones, lines and jobs have rooms of their own, so that none of them can take the others' places. A
//! place travels with its inputs and is given back when they are answered or dropped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::PredictError;

/// A request of at most so many rows is small.
pub const FEW: usize = 16;
/// A request that finds no room waits so long for some before it is refused.
const A_MOMENT: Duration = Duration::from_millis(250);
/// Bytes are counted in blocks, since a semaphore has 32 bits for one acquisition.
const BLOCK: usize = 1024;

/// Who asks for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// A request of up to [`FEW`] rows.
    Small,
    /// A larger one.
    Large,
    /// Rows that come line by line.
    Lines,
    /// Rows that nobody waits for: they are run when no others wait.
    Jobs,
}

/// The rooms of one model.
pub(super) struct Rooms {
    small: Pool,
    large: Pool,
    lines: Pool,
    jobs: Pool,
    width: usize,
    bytes: Bytes,
}

/// Bytes of encoded rows of all models. Small requests have an eighth to themselves: in one line for all, each would wait
/// until the large ones before it had theirs.
#[derive(Clone, Debug)]
pub struct Bytes {
    small: Blocks,
    others: Blocks,
}

#[derive(Clone, Debug)]
struct Blocks {
    free: Arc<Semaphore>,
    all: usize,
}

struct Pool {
    places: Arc<Semaphore>,
    size: usize,
}

/// Places for inputs that are not encoded yet.
#[derive(Debug)]
pub struct Room {
    places: OwnedSemaphorePermit,
    share: Share,
}

/// Places for inputs, and for their bytes.
#[derive(Debug)]
pub struct Place {
    room: Room,
    bytes: Arc<OwnedSemaphorePermit>,
}

impl Bytes {
    /// Room for so many.
    pub fn new(bytes: usize) -> Self {
        let small = bytes / 8;
        Self { small: Blocks::new(small), others: Blocks::new(bytes - small) }
    }
}

impl Blocks {
    fn new(bytes: usize) -> Self {
        let all = bytes.div_ceil(BLOCK).clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Waits for room. Whoever asks for more than there is gets all of it.
    async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, PredictError> {
        let blocks = u32::try_from(bytes.div_ceil(BLOCK).min(self.all)).unwrap_or(u32::MAX);
        self.free.clone().acquire_many_owned(blocks).await.map_err(|_| PredictError::Closed)
    }
}

impl Pool {
    fn new(size: usize) -> Self {
        let size = size.clamp(1, u32::MAX as usize >> 3);
        Self { places: Arc::new(Semaphore::new(size)), size }
    }

    async fn reserve(&self, share: Share, inputs: usize) -> Result<Room, PredictError> {
        if inputs > self.size {
            return Err(PredictError::TooMuch { inputs: self.size });
        }
        let places = self.places.clone().acquire_many_owned(inputs as u32).await;
        places.map(|places| Room { places, share }).map_err(|_| PredictError::Closed)
    }

    fn taken(&self) -> usize {
        self.size - self.places.available_permits()
    }
}

impl Rooms {
    /// For large requests `large` inputs of `width` values; half as many for lines and for jobs, and an eighth for small
    /// requests, but for each at least `least`.
    pub(super) fn new(large: usize, least: usize, width: usize, bytes: Bytes) -> Self {
        let large = large.max(least);
        let [small, lines, jobs] = [8, 2, 2].map(|part| Pool::new((large / part).max(least)));
        Self { small, large: Pool::new(large), lines, jobs, width, bytes }
    }

    /// Places for all inputs of a request or of some lines. Lines and jobs wait as long as it takes; a small request that
    /// finds none takes those of large ones.
    ///
    /// # Errors
    /// [`PredictError::Full`] when there was no room for a moment, [`PredictError::TooMuch`] when there never will be.
    pub(super) async fn reserve(&self, share: Share, inputs: usize) -> Result<Room, PredictError> {
        let moment = async |pool: &Pool| {
            timeout(A_MOMENT, pool.reserve(share, inputs)).await.unwrap_or(Err(PredictError::Full))
        };
        match share {
            Share::Lines => self.lines.reserve(share, inputs).await,
            Share::Jobs => self.jobs.reserve(share, inputs).await,
            Share::Large => moment(&self.large).await,
            Share::Small => match self.small.places.clone().try_acquire_many_owned(inputs as u32) {
                Ok(places) => Ok(Room { places, share }),
                Err(_) => moment(&self.large).await,
            },
        }
    }

    /// Room for the bytes of inputs that have places.
    pub(super) async fn place(&self, room: Room) -> Result<Place, PredictError> {
        let blocks = if room.share == Share::Small { &self.bytes.small } else { &self.bytes.others };
        let bytes = blocks.reserve(room.inputs() * self.width * size_of::<f32>()).await?;
        Ok(Place { room, bytes: Arc::new(bytes) })
    }

    /// Most inputs that lines, or rows of jobs, may have.
    pub(super) fn most_of_lines(&self) -> usize {
        self.lines.size
    }

    /// Most inputs that one request may have.
    pub(super) fn most(&self) -> usize {
        self.large.size
    }

    /// Inputs that have places.
    pub(super) fn taken(&self) -> usize {
        [&self.small, &self.large, &self.lines, &self.jobs].map(Pool::taken).iter().sum()
    }
}

impl Room {
    /// How many inputs it is for.
    pub fn inputs(&self) -> usize {
        self.places.num_permits()
    }

    /// Takes the places of some of its inputs out of it.
    ///
    /// # Panics
    /// When it has fewer.
    pub fn split(&mut self, inputs: usize) -> Self {
        let places = self.places.split(inputs).expect("there is a place for each input");
        Self { places, share: self.share }
    }
}

impl Place {
    /// How many inputs it is for.
    pub fn inputs(&self) -> usize {
        self.room.inputs()
    }

    /// Whether nobody waits for its inputs.
    pub(super) fn is_of_job(&self) -> bool {
        self.room.share == Share::Jobs
    }

    /// Takes the places of some of its inputs out of it; the bytes are given back with the last of them.
    pub fn split(&mut self, inputs: usize) -> Self {
        Self { room: self.room.split(inputs), bytes: self.bytes.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Rooms {
        // An eighth is for small requests: 64 blocks are left.
        Rooms::new(64, 1, 256, Bytes::new(73 * BLOCK))
    }

    #[tokio::test]
    async fn no_share_takes_the_places_of_another() {
        let rooms = rooms();
        let _lines = rooms.reserve(Share::Lines, 32).await.unwrap();
        let _large = rooms.reserve(Share::Large, 64).await.unwrap();
        let more_lines = timeout(Duration::from_millis(50), rooms.reserve(Share::Lines, 1)).await;
        assert!(more_lines.is_err(), "lines wait");
        assert_eq!(rooms.reserve(Share::Large, 1).await.unwrap_err(), PredictError::Full);
        let _small = rooms.reserve(Share::Small, 8).await.unwrap();
        assert_eq!(rooms.reserve(Share::Small, 1).await.unwrap_err(), PredictError::Full);
        let _job = rooms.reserve(Share::Jobs, 32).await.unwrap();
        let more = timeout(Duration::from_millis(50), rooms.reserve(Share::Jobs, 1)).await;
        assert!(more.is_err(), "jobs wait");
        assert_eq!(rooms.taken(), 136);
        assert_eq!(rooms.reserve(Share::Large, 65).await.unwrap_err(), PredictError::TooMuch { inputs: 64 });
    }

    #[tokio::test]
    async fn a_small_request_takes_room_of_large_ones_where_its_own_is_full() {
        let rooms = rooms();
        let _own = rooms.reserve(Share::Small, 8).await.unwrap();
        let other = rooms.reserve(Share::Small, 8).await.unwrap();
        assert_eq!(other.inputs(), 8);
    }

    #[tokio::test]
    async fn bytes_come_back_with_the_last_input() {
        let rooms = rooms();
        let mut room = rooms.reserve(Share::Large, 64).await.unwrap();
        let first = room.split(40);
        let mut place = rooms.place(first).await.unwrap();
        let part = place.split(30);
        drop(place);
        let second = room.split(24);
        let waiting = rooms.place(second);
        tokio::pin!(waiting);
        assert!(timeout(Duration::from_millis(50), &mut waiting).await.is_ok(), "64 blocks less 40 are 24");
        let third = rooms.reserve(Share::Lines, 32).await.unwrap();
        let third = rooms.place(third);
        tokio::pin!(third);
        assert!(
            timeout(Duration::from_millis(50), &mut third).await.is_err(),
            "40 of the 64 blocks are held"
        );
        drop(part);
        assert_eq!(third.await.unwrap().inputs(), 32);
    }

    #[tokio::test]
    async fn whoever_needs_more_bytes_than_there_are_has_all_of_them() {
        let rooms = Rooms::new(64, 1, 256, Bytes::new(16 * BLOCK));
        let room = rooms.reserve(Share::Large, 64).await.unwrap();
        let place = timeout(Duration::from_secs(5), rooms.place(room)).await.expect("not for ever").unwrap();
        let other = rooms.reserve(Share::Lines, 1).await.unwrap();
        assert!(timeout(Duration::from_millis(50), rooms.place(other)).await.is_err(), "nothing is left");
        assert_eq!(place.inputs(), 64);
    }

    #[tokio::test]
    async fn small_requests_do_not_wait_for_the_bytes_of_large_ones() {
        let rooms = rooms();
        let large = rooms.reserve(Share::Large, 64).await.unwrap();
        let _all = rooms.place(large).await.unwrap();
        let lines = rooms.reserve(Share::Lines, 8).await.unwrap();
        assert!(timeout(Duration::from_millis(50), rooms.place(lines)).await.is_err(), "nothing is left");
        let small = rooms.reserve(Share::Small, 8).await.unwrap();
        assert_eq!(rooms.place(small).await.unwrap().inputs(), 8);
    }
}
