//! Changes of the cache as a stream.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};
use std::sync::Arc;

use futures_core::Stream;
use tokio::sync::mpsc;
use xenapi_client::Change;

/// How many batches wait for a reader that is slow.
const ROOM: usize = 1024;

/// What happened to the cache.
#[derive(Clone, PartialEq, Debug)]
pub enum Delta {
    /// These objects changed, all at once.
    Changed(Arc<[Change]>),
    /// The reader was so slow that changes before this were dropped: look at the whole cache.
    Missed,
}

/// Every change of a cache, in order: a [`Stream`] that ends with its [`Live`](crate::Live).
#[derive(Debug)]
pub struct Changes {
    receiver: mpsc::Receiver<Arc<[Change]>>,
    missed: Arc<AtomicBool>,
}

/// The other end.
#[derive(Debug)]
pub(super) struct Subscriber {
    sender: mpsc::Sender<Arc<[Change]>>,
    missed: Arc<AtomicBool>,
}

pub(super) fn channel() -> (Subscriber, Changes) {
    let (sender, receiver) = mpsc::channel(ROOM);
    let missed = Arc::new(AtomicBool::new(false));
    (Subscriber { sender, missed: missed.clone() }, Changes { receiver, missed })
}

impl Subscriber {
    /// Whether it still listens.
    pub(super) fn tell(&self, changes: &Arc<[Change]>) -> bool {
        match self.sender.try_send(changes.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.missed.store(true, Ordering::Release);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

impl Changes {
    /// The next change; `None` when the pool is followed no more. May be given up and called again.
    pub async fn next(&mut self) -> Option<Delta> {
        core::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Delta>> {
        // What was dropped came after what waits, so it is told when all of that was read.
        if self.receiver.is_empty() && self.missed.swap(false, Ordering::Acquire) {
            return Poll::Ready(Some(Delta::Missed));
        }
        self.receiver.poll_recv(context).map(|changes| changes.map(Delta::Changed))
    }
}

impl Stream for Changes {
    type Item = Delta;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delta>> {
        self.get_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn who_is_too_slow_is_told_so_once_and_goes_on() {
        let (subscriber, mut changes) = channel();
        let batch: Arc<[Change]> = Arc::from([]);
        for _ in 0..ROOM + 2 {
            assert!(subscriber.tell(&batch));
        }
        for _ in 0..ROOM {
            assert!(matches!(changes.next().await, Some(Delta::Changed(_))));
        }
        assert_eq!(changes.next().await, Some(Delta::Missed));
        assert!(subscriber.tell(&batch));
        assert!(matches!(changes.next().await, Some(Delta::Changed(_))));
        drop(subscriber);
        assert_eq!(changes.next().await, None);
        let (subscriber, changes) = channel();
        drop(changes);
        assert!(!subscriber.tell(&batch));
    }
}
