//! Places for connections. Where all are taken, whoever has waited longest without a request, or still sends what was
//! refused, gives his up: a flood of connections that ask nothing pushes out itself. A few are kept back for health,
//! should requests run on all others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::life::Life;

/// Nobody has to give up his place sooner: a request takes a moment to come.
const SETTLED: Duration = Duration::from_millis(50);

/// Places of one address.
#[derive(Clone)]
pub(crate) struct Places(Arc<Inner>);

struct Inner {
    most: usize,
    kept_back: usize,
    taken: Mutex<Vec<Taken>>,
    /// Rung when somebody leaves.
    freed: Notify,
}

struct Taken {
    life: Arc<Life>,
    kept_back: bool,
}

/// Given back when dropped.
pub(crate) struct Place {
    /// The connection that holds it.
    pub life: Arc<Life>,
    /// Whether only health is answered here.
    pub kept_back: bool,
    places: Places,
}

impl Places {
    /// For `most` connections, and a few more that may only ask for health.
    pub(crate) fn new(most: usize, kept_back: usize) -> Self {
        let (taken, freed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { most, kept_back, taken, freed }))
    }

    /// A place, as soon as one can be had.
    pub(crate) async fn take(&self) -> Place {
        loop {
            if let Some(place) = self.try_take(false) {
                return place;
            }
            if !self.free_one(false) {
                if let Some(place) = self.try_take(true) {
                    return place;
                }
                self.free_one(true);
            }
            // Until somebody left, or a moment: whichever it was, there is another look.
            let _ = timeout(SETTLED, self.0.freed.notified()).await;
        }
    }

    /// Asks the connection that has waited longest for a request to end. Whether there will be room: `false` where
    /// requests run on all.
    pub(crate) fn free_one(&self, kept_back: bool) -> bool {
        let taken = self.lock();
        let lives = taken.iter().filter(|taken| taken.kept_back == kept_back).map(|taken| &taken.life);
        if lives.clone().any(|life| life.is_ending()) {
            return true;
        }
        // Those that never asked go before those that keep a connection for their next request.
        let waiting = lives.filter_map(|life| Some((life.waiting()?, life)));
        match waiting.max_by_key(|((never_asked, since), _)| (*never_asked, *since)) {
            Some(((_, since), life)) if since >= SETTLED => life.give_up(),
            Some(_) => {}
            None => return false,
        }
        true
    }

    fn try_take(&self, kept_back: bool) -> Option<Place> {
        let mut taken = self.lock();
        let most = if kept_back { self.0.kept_back } else { self.0.most };
        let life = Arc::new(Life::new());
        let has_room = taken.iter().filter(|taken| taken.kept_back == kept_back).count() < most;
        has_room.then(|| {
            taken.push(Taken { life: life.clone(), kept_back });
            Place { life, kept_back, places: self.clone() }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().retain(|taken| !Arc::ptr_eq(&taken.life, &self.life));
        self.places.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::life::Exchange;
    use super::*;

    fn settle() {
        std::thread::sleep(SETTLED + Duration::from_millis(10));
    }

    fn ask(place: &Place) -> Arc<Exchange> {
        let exchange = Arc::new(Exchange::new("GET", "/"));
        place.life.begin(exchange.clone());
        exchange
    }

    #[tokio::test]
    async fn who_never_asked_goes_before_who_has_waited_longer() {
        let places = Places::new(2, 0);
        let kept = places.take().await;
        let asked = ask(&kept);
        kept.life.finish(&asked);
        kept.life.flushed();
        settle();
        let silent = places.take().await;
        settle();
        assert!(places.free_one(false));
        assert!(silent.life.is_ending() && !kept.life.is_ending());
    }

    #[tokio::test]
    async fn a_connection_has_a_moment_to_ask() {
        let places = Places::new(1, 0);
        let fresh = places.take().await;
        assert!(places.free_one(false) && !fresh.life.is_ending());
        settle();
        assert!(places.free_one(false) && fresh.life.is_ending());
    }

    #[tokio::test]
    async fn a_request_that_came_meanwhile_is_not_cut_off() {
        let places = Places::new(1, 0);
        let place = places.take().await;
        settle();
        assert!(places.free_one(false));
        ask(&place);
        assert!(!place.life.may_end() && !place.life.is_ending());
        assert!(!places.free_one(false), "a request runs on it");
    }

    #[tokio::test]
    async fn only_while_a_refused_body_comes_may_its_connection_end() {
        let places = Places::new(1, 0);
        let place = places.take().await;
        let exchange = ask(&place);
        assert!(!places.free_one(false), "its body is wanted");
        exchange.set_unwanted(true);
        settle();
        assert!(places.free_one(false) && place.life.is_ending());
        exchange.set_unwanted(false);
        assert!(!place.life.may_end() && !places.free_one(false), "its reply is on the way");
    }

    #[tokio::test]
    async fn a_place_that_is_given_back_is_had_at_once() {
        let places = Places::new(1, 0);
        let first = places.take().await;
        ask(&first);
        let started = Instant::now();
        tokio::task::yield_now().await;
        drop(first);
        let _second = places.take().await;
        assert!(started.elapsed() < SETTLED);
    }
}
