//! Tasks that run: what the bar shows of them.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::DateTime;
use xenapi_model::Task;
use xenapi_model::task::TaskStatusType;

use crate::object::Object;

/// The classes that [`running`] reads.
pub const OF_RUNNING: &[&str] = &["task", "host"];

/// A task that is not at its end.
#[derive(Clone, PartialEq, Debug)]
pub struct Running {
    /// The task.
    pub object: Object,
    /// Its lasting identity.
    pub uuid: String,
    /// Its name, as xapi says it.
    pub name: String,
    /// The name of the host that works on it, where that is known.
    pub host: String,
    /// How much is done, in percent.
    pub percent: u64,
    /// When it began.
    pub created: DateTime,
    /// Whether it is about to be cancelled.
    pub cancelling: bool,
}

/// The tasks that run, the youngest first.
pub fn running(cache: &Cache) -> Vec<Running> {
    let pending = |status: &TaskStatusType| matches!(status, TaskStatusType::Pending | TaskStatusType::Cancelling);
    let mut tasks: Vec<Running> = cache
        .iter::<Task>()
        .filter(|(_, task)| pending(&task.status))
        .map(|(reference, task)| Running {
            object: Object::of(&reference),
            uuid: task.uuid.as_str().into(),
            name: task.name_label.clone(),
            host: cache.get(&task.resident_on).map(|host| host.name_label.clone()).unwrap_or_default(),
            percent: percent(task.progress),
            created: task.created,
            cancelling: task.status == TaskStatusType::Cancelling,
        })
        .collect();
    tasks.sort_by(|a, b| b.created.unix().cmp(&a.created.unix()).then_with(|| a.object.cmp(&b.object)));
    tasks
}

/// A share from 0 to 1 in percent; anything else, which servers have been seen to send, is brought into it.
fn percent(progress: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before, and NaN becomes zero")]
    let percent = (progress.clamp(0.0, 1.0) * 100.0) as u64;
    percent
}

#[cfg(test)]
mod tests {
    use super::*;
    use xenapi_core::Ref;
    use xenapi_model::task;

    #[test]
    fn only_what_runs_is_listed_the_youngest_first() {
        let mut cache = Cache::new();
        let mut put = |name: &str, status, progress, created| {
            let record = task::Record {
                name_label: name.into(),
                status,
                progress,
                created: DateTime::from_unix(created),
                ..Default::default()
            };
            cache.insert(Ref::<Task>::new(name), record);
        };
        put("old", TaskStatusType::Pending, 0.5, 10);
        put("done", TaskStatusType::Success, 1.0, 30);
        put("odd", TaskStatusType::Pending, f64::NAN, 20);
        put("leaving", TaskStatusType::Cancelling, 7.0, 15);
        let all = running(&cache);
        let told: Vec<_> = all.iter().map(|task| (task.name.as_str(), task.percent, task.cancelling)).collect();
        assert_eq!(told, [("odd", 0, false), ("leaving", 100, true), ("old", 50, false)]);
    }
}
