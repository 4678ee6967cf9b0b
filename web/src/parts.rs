//! The parts of the program that a browser downloads when somebody first needs them.
//!
//! Each is a WebAssembly module of its own, cut out of the whole after linking: it shares memory, types and the functions that
//! several use with the first module, so that nothing here knows where a function ended up. What a part needs is found from its
//! split function below; whatever the shell reaches without one is in the first module.
//!
//! The one place with `unsafe` in this crate: the macro declares the function that the linker leaves open and the cutting fills in.

#![allow(unsafe_code, reason = "the macro's declarations of what another module holds")]

use core::cell::Cell;
use core::pin::Pin;

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use xenapi_console::language::Language;
use xenapi_console::route::View;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::driver::PoolInfo;
use crate::pages::{self, What};
use crate::{dom, local, panels};

/// Draws something of a part. What does not belong to the part is not drawn.
pub(crate) type Draw = fn(&View) -> Html;

/// A part of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Tables of every class.
    Tables,
    /// The drawing of the pool.
    Topology,
    /// Pages of single objects.
    Object,
    /// What stops if something fails.
    Impact,
    /// The gravest single points of failure.
    Points,
    /// The explorer of the API.
    Explorer,
    /// The panel about what is selected.
    Details,
    /// The command palette.
    Palette,
    /// What runs, in the bar.
    Tasks,
    /// Who one is, in the bar.
    Account,
}

impl Part {
    /// The part that draws a view, unless the first module does.
    pub(crate) fn of(view: &View) -> Option<Part> {
        match view {
            View::Overview => None,
            View::Table(_) => Some(Part::Tables),
            View::Topology(_) => Some(Part::Topology),
            View::Object(_) => Some(Part::Object),
            View::Impact => Some(Part::Impact),
            View::Explorer(_) => Some(Part::Explorer),
        }
    }

    /// Whether it looks as what is around it, and nothing is said while it comes.
    fn is_of_the_shell(self) -> bool {
        matches!(self, Part::Points | Part::Tasks | Part::Account)
    }

    async fn load(self) -> Result<(), Why> {
        if self.loaded().is_some() {
            return Ok(());
        }
        // Both come at the same time.
        let styles = if self.is_of_the_shell() { None } else { dom::styles() };
        let draw = match self {
            Part::Tables => tables().await,
            Part::Topology => topology().await,
            Part::Object => object().await,
            Part::Impact => impact().await,
            Part::Points => points().await,
            Part::Explorer => explorer().await,
            Part::Details => details().await,
            Part::Palette => palette().await,
            Part::Tasks => tasks().await,
            Part::Account => account().await,
        }?;
        if let Some(styles) = styles {
            styles.await.map_err(|_| Why(Text::PartFailed.get().into()))?;
        }
        LOADED.with(|loaded| loaded[self as usize].set(Some(draw)));
        Ok(())
    }

    /// What draws it, once it is here.
    fn loaded(self) -> Option<Draw> {
        LOADED.with(|loaded| loaded[self as usize].get())
    }
}

/// Begins to load what a view needs, before there is anything to show in it.
pub(crate) fn load_for(view: &View) {
    if let Some(part) = Part::of(view) {
        // Whoever draws it asks again, and tells if it failed.
        spawn_local(async move { drop(part.load().await) });
    }
}

/// Loads what people most likely want next, one after another.
pub(crate) fn load_ahead() {
    spawn_local(async {
        for part in [Part::Tables, Part::Topology, Part::Impact] {
            if part.load().await.is_err() {
                // There is time enough to tell when it is wanted.
                return;
            }
        }
    });
}

/// How long after what is around it something of the shell begins to come, in milliseconds: when that was painted, and all of its own came.
const BEHIND: u32 = 50;

thread_local! {
    static LOADED: [Cell<Option<Draw>>; 10] = const { [const { Cell::new(None) }; 10] };
}

#[wasm_split(pages, fallible)]
fn tables() -> Result<Draw, SplitLoaderError> {
    Ok(|view| match view {
        View::Table(kind) => html! { <><panels::Kinds /><pages::TablePage key={kind.path()} kind={*kind} /></> },
        _ => Html::default(),
    })
}

#[wasm_split(graph, fallible)]
fn topology() -> Result<Draw, SplitLoaderError> {
    Ok(|view| match view {
        View::Topology(lens) => html! { <pages::TopologyPage key={lens.name()} lens={*lens} /> },
        _ => Html::default(),
    })
}

#[wasm_split(pages, fallible)]
fn object() -> Result<Draw, SplitLoaderError> {
    Ok(|view| match view {
        View::Object(named) => {
            html! { <pages::ObjectPage key={format!("{}/{}", named.class, named.uuid)} named={named.clone()} /> }
        }
        _ => Html::default(),
    })
}

#[wasm_split(impact, fallible)]
fn impact() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <pages::ImpactPage /> })
}

#[wasm_split(impact, fallible)]
fn points() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <pages::Points /> })
}

#[wasm_split(explorer, fallible)]
fn explorer() -> Result<Draw, SplitLoaderError> {
    Ok(|view| match view {
        View::Explorer(parts) => html! { <pages::ExplorerPage parts={parts.clone()} /> },
        _ => Html::default(),
    })
}

#[wasm_split(pages, fallible)]
fn details() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <panels::DetailsPanel /> })
}

#[wasm_split(pages, fallible)]
fn palette() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <pages::Palette /> })
}

#[wasm_split(bar, fallible)]
fn tasks() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <panels::TasksButton /> })
}

#[wasm_split(bar, fallible)]
fn account() -> Result<Draw, SplitLoaderError> {
    Ok(|_| html! { <panels::Account /> })
}

/// Why something that comes with a part is not there, in words.
#[derive(Debug)]
pub(crate) struct Why(pub(crate) String);

impl From<SplitLoaderError> for Why {
    fn from(_: SplitLoaderError) -> Why {
        Why(Text::PartFailed.get().into())
    }
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the file of a language. English is in the program and wants none.
#[wasm_split(language, fallible)]
pub(crate) fn language(code: String, file: String) -> Result<Language, Why> {
    Language::parse(&code, &file).map_err(|error| Why(error.to_string()))
}

/// A pool in the page itself that is being opened.
pub(crate) type Begun = Pin<Box<dyn Future<Output = Result<PoolInfo, String>>>>;

/// Opens a pool in the page itself.
#[wasm_split(local, fallible)]
pub(crate) fn open(what: What) -> Result<Begun, Why> {
    Ok(Box::pin(local::open(what)))
}

#[derive(Properties, PartialEq)]
pub(crate) struct LazyProps {
    /// What is needed.
    pub(crate) part: Part,
    /// What is shown of it.
    pub(crate) view: View,
}

/// Something of a part, as soon as the part is here. Wants the part as its key.
#[component]
pub(crate) fn Lazy(props: &LazyProps) -> Html {
    let failed = use_state(|| false);
    let round = use_state(|| 0_u32);
    {
        let (failed, arrived) = (failed.setter(), use_force_update());
        use_effect_with((props.part, *round), move |&(part, _)| {
            let load = move || {
                spawn_local(async move {
                    match part.load().await {
                        Ok(()) => arrived.force_update(),
                        Err(_) => failed.set(true),
                    }
                });
            };
            let timer = if part.loaded().is_some() {
                None
            } else if part.is_of_the_shell() {
                Some(Timeout::new(BEHIND, load))
            } else {
                load();
                None
            };
            move || drop(timer)
        });
    }
    if let Some(draw) = props.part.loaded() {
        return draw(&props.view);
    }
    let in_bar = matches!(props.part, Part::Tasks | Part::Account);
    let told = if *failed {
        let again = Callback::from(move |_| {
            failed.set(false);
            round.set(*round + 1);
        });
        let (what, hint, again) = (Text::PartFailed.get(), Text::PartFailedHint.get(), (Text::TryAgain.get().into(), again));
        if in_bar {
            let (word, onclick): (String, Callback<MouseEvent>) = again;
            html! { <button type="button" class="button" title={hint} {onclick}>{ word }</button> }
        } else {
            empty("part-failed", what, hint, Some(again))
        }
    } else if in_bar {
        // There is nothing to wait for yet.
        Html::default()
    } else if props.part == Part::Points {
        html! { <p class="quiet">{ Text::PointsSearching.with(&["0", "…"]) }</p> }
    } else {
        html! { <p class="boot" role="status">{ Text::PartLoading.get() }</p> }
    };
    match props.part {
        Part::Palette => html! { <div class="palette-layer"><div class="palette">{ told }</div></div> },
        Part::Details => html! { <aside class="details">{ told }</aside> },
        _ => told,
    }
}
