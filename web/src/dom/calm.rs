//! Not doing expensive things more often than there is time for.

use gloo_timers::callback::Timeout;
use yew::prelude::*;

/// When it is asked again, in milliseconds.
const HOLD: f64 = 100.0;

/// A value that follows another one: at once after a pause, and while the other one changes all the time not more often than every `gap`
/// milliseconds.
#[hook]
pub(crate) fn use_calm(value: u64, gap: f64) -> u64 {
    use_calmer(value, gap, false)
}

/// The same. On `hold` it waits at any rate, and looks again soon.
#[hook]
pub(crate) fn use_calmer(value: u64, gap: f64, hold: bool) -> u64 {
    // What is shown, and when it was last taken over.
    let shown = use_mut_ref(|| (value, f64::NEG_INFINITY));
    let timer = use_mut_ref(|| None::<Timeout>);
    let update = use_force_update();
    let now = super::precise_now();
    let mut shown = shown.borrow_mut();
    if shown.0 != value {
        let wait = (shown.1 + gap - now).max(if hold { HOLD } else { 0.0 });
        if wait <= 0.0 {
            *shown = (value, now);
            timer.borrow_mut().take();
        } else if timer.borrow().is_none() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a wait is short and positive")]
            let wait = wait.ceil() as u32;
            let again = timer.clone();
            *timer.borrow_mut() = Some(Timeout::new(wait, move || {
                // The timer is over; dropping it here only forgets it.
                again.borrow_mut().take().map(Timeout::forget);
                update.force_update();
            }));
        }
    }
    shown.0
}
