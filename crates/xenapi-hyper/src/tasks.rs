//! Tasks: to be watched, cancelled, waited for.

use core::fmt;
use core::time::Duration;

use tokio::time::{Instant, timeout_at};
use xenapi_core::{Failure, ReadResult, Ref, get_record};
use xenapi_model::task::{self, TaskStatusType};
use xenapi_model::{Task, event};

use crate::call_error::{Error, ErrorKind};
use crate::client::{Client, read_task_result};

/// A task that was started: watch its [progress](RunningTask::progress), [cancel](RunningTask::cancel) it, or wait for its
/// [end](RunningTask::finish). Dropped before its end, it goes on at the server.
pub struct RunningTask<R> {
    watched: Watched,
    method: String,
    read: ReadResult<R>,
}

impl<R> fmt::Debug for RunningTask<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningTask").field("method", &self.method).field("ended", &self.watched.end.is_some()).finish()
    }
}

impl<R> RunningTask<R> {
    pub(crate) fn new(client: Client, task: Ref<Task>, method: String, read: ReadResult<R>) -> Self {
        RunningTask { watched: Watched::new(client, task), method, read }
    }

    /// The task.
    pub fn reference(&self) -> &Ref<Task> {
        &self.watched.task
    }

    /// Waits until the task is further than last time, from 0 to 1; `None` at its end. May be given up and called again.
    ///
    /// # Errors
    /// When the server does not tell; the task may go on.
    pub async fn progress(&mut self) -> Result<Option<f64>, Error> {
        self.watched.progress().await
    }

    /// Asks the task to stop. [`RunningTask::finish`] tells whether it did.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.watched.client.call(task::cancel(&self.watched.task)).await
    }

    /// Waits for the end, reads the result and destroys the task.
    ///
    /// # Errors
    /// When the task fails or was cancelled, and when the server does not tell.
    pub async fn finish(mut self) -> Result<R, Error> {
        while self.progress().await?.is_some() {}
        let record = self.watched.ended().await?;
        let failed = |kind| self.watched.client.error(&self.method, kind);
        if let Some(failure) = failure_of(&self.watched.task, &record) {
            return Err(failed(ErrorKind::Failure(failure)));
        }
        read_task_result(&record.result, self.read).map_err(|error| failed(ErrorKind::Unreadable(error)))
    }

    /// As [`RunningTask::finish`], but asks the task to stop when it takes longer, and does not wait for that.
    ///
    /// # Errors
    /// As [`RunningTask::finish`], and when it takes longer.
    pub async fn finish_within(mut self, limit: Duration) -> Result<R, Error> {
        let until = Instant::now() + limit;
        loop {
            match timeout_at(until, self.progress()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return self.finish().await,
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    self.cancel().await?;
                    return Err(self.watched.client.error(&self.method, ErrorKind::TaskTooLong(limit)));
                }
            }
        }
    }
}

/// A task that is looked at whenever it changed.
pub(crate) struct Watched {
    pub(crate) client: Client,
    pub(crate) task: Ref<Task>,
    classes: [String; 1],
    /// Where the events go on; none before the first look.
    token: Option<String>,
    told: Option<f64>,
    end: Option<task::Record>,
}

impl Watched {
    pub(crate) fn new(client: Client, task: Ref<Task>) -> Self {
        let classes = [format!("task/{}", task.as_str())];
        Watched { client, task, classes, token: None, told: None, end: None }
    }

    /// Waits until it is further than last time; `None` at its end.
    pub(crate) async fn progress(&mut self) -> Result<Option<f64>, Error> {
        while self.end.is_none() {
            if let Some(token) = &self.token {
                self.token = Some(self.wait(token).await?);
            }
            let record = self.client.call(get_record(&self.task)).await?;
            // With an empty token the first answer comes at once, with the state of now: nothing is missed in between.
            self.token.get_or_insert_default();
            let progress = record.progress;
            if !matches!(record.status, TaskStatusType::Pending | TaskStatusType::Cancelling) {
                self.end = Some(record);
            }
            if self.told != Some(progress) {
                self.told = Some(progress);
                return Ok(Some(progress));
            }
        }
        Ok(None)
    }

    /// Waits for news of the task; answers where they go on.
    async fn wait(&self, token: &str) -> Result<String, Error> {
        let config = self.client.config();
        match self.client.call(event::from(&self.classes, token, config.event_timeout.as_secs_f64())).await {
            Ok(batch) => Ok(batch.token),
            // An old server, or one that has lost the thread: look at the task now and then.
            Err(error) if error.is_unknown_method() || is_lost(&error) => {
                tokio::time::sleep(config.poll_interval).await;
                Ok(String::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The record at its end, once. The task is destroyed.
    pub(crate) async fn ended(&mut self) -> Result<task::Record, Error> {
        while self.progress().await?.is_some() {}
        let record = self.end.clone().unwrap_or_default();
        // A task that cannot be destroyed goes away by itself after a while; the result counts.
        let _ = self.client.call(task::destroy(&self.task)).await;
        Ok(record)
    }
}

/// The token or the events are gone: an answer that says nothing about the task.
fn is_lost(error: &Error) -> bool {
    error.failure().is_some_and(|failure| matches!(failure.code.as_str(), "EVENTS_LOST" | "EVENT_FROM_TOKEN_PARSE_FAILURE"))
}

/// Why a task that has ended has no result.
pub(crate) fn failure_of(task: &Ref<Task>, record: &task::Record) -> Option<Failure> {
    match record.status {
        TaskStatusType::Success => None,
        TaskStatusType::Cancelled if record.error_info.is_empty() => Some(Failure::new("TASK_CANCELLED", [task.as_str()])),
        _ => Some(Failure::from_description(record.error_info.clone())),
    }
}
