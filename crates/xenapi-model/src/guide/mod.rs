//! How the model hangs together: [`classes`] and how they join, [`values`] and how they travel, [`calls`] and how they are made.

pub mod calls;
pub mod classes;
pub mod values;
