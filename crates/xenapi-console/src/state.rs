//! What the console remembers besides the pool's data, and how it changes. Pure: no clock, no page.

use alloc::collections::BTreeSet;
use alloc::string::String;

use xenapi_topology::{Lens, NodeId};

use crate::object::Object;
use crate::route::{Named, Query, Route, View};
use crate::theme::Theme;
use crate::tree::{Grouping, Look};

/// The word in the address under which a table keeps its filter.
pub const FILTER: &str = "q";

/// How one lens is shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LensState {
    /// The groups that are unfolded.
    pub expanded: BTreeSet<NodeId>,
    /// Whether everything is drawn, however much it is.
    pub draw_all: bool,
}

/// What the console remembers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsoleState {
    /// The pool, by its name at the proxy.
    pub pool: Option<String>,
    /// What the page shows.
    pub view: View,
    /// What the page keeps in its address.
    pub query: Query,
    /// What is selected.
    pub selected: Option<Object>,
    /// What an address says is selected, as long as it has not been found in the cache.
    pub wanted: Option<Named>,
    /// The colours.
    pub theme: Theme,
    /// The code of the language that is spoken. Whoever draws with another one than before draws everything anew.
    pub language: String,
    /// How the tree is looked at.
    pub tree: Look,
    /// The lenses.
    pub compute: LensState,
    /// See [`ConsoleState::compute`].
    pub storage: LensState,
    /// See [`ConsoleState::compute`].
    pub network: LensState,
    /// Whether the topology is shown as a table.
    pub as_table: bool,
    /// Whether the tree is open where it is a drawer.
    pub drawer: bool,
    /// Whether the command palette is open.
    pub palette: bool,
}

impl Default for View {
    fn default() -> Self {
        Route::default().view
    }
}

/// What may happen to it.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// The address changed.
    Navigate(Route),
    /// Show something else.
    Show(View),
    /// Keep a word in the address, or no longer; none of it is a step to go back to.
    Keep(String, Option<String>),
    /// Select an object, or none.
    Select(Option<Object>),
    /// Select an object and show it in a view.
    ShowIn(View, Object),
    /// What an address named was found, or is not there.
    Found(Option<Object>),
    /// Filter the table; the same as keeping [`FILTER`] in the address.
    Filter(String),
    /// Choose the colours.
    SetTheme(Theme),
    /// Another language is spoken from now on.
    Speak(String),
    /// Group the tree by something else.
    GroupTree(Grouping),
    /// Show only what has these words in its name, in the tree.
    FilterTree(String),
    /// Open or close an entry of the tree.
    Toggle(String),
    /// Open entries of the tree.
    Open(alloc::vec::Vec<String>),
    /// Unfold a group, or fold it back.
    Unfold(Lens, NodeId),
    /// Fold everything.
    FoldAll(Lens),
    /// Draw everything, however much it is.
    DrawAll(Lens),
    /// Show the topology as a table, or as a drawing.
    ToggleTable,
    /// Open or close the drawer.
    Drawer(bool),
    /// Open or close the command palette.
    Palette(bool),
    /// Forget everything that belongs to a pool: it is another one, or the user has logged out.
    Forget,
}

impl ConsoleState {
    /// How a lens is shown.
    pub fn lens(&self, lens: Lens) -> &LensState {
        match lens {
            Lens::Compute => &self.compute,
            Lens::Storage => &self.storage,
            Lens::Network => &self.network,
        }
    }

    fn lens_mut(&mut self, lens: Lens) -> &mut LensState {
        match lens {
            Lens::Compute => &mut self.compute,
            Lens::Storage => &mut self.storage,
            Lens::Network => &mut self.network,
        }
    }

    /// The address of what is shown; `uuid_of` tells the uuid of an object.
    pub fn route(&self, uuid_of: impl FnOnce(&Object) -> Option<String>) -> Route {
        let named = |object: &Object| Some(Named { class: object.class.into(), uuid: uuid_of(object)? });
        let selected = self.selected.as_ref().and_then(named).or_else(|| self.wanted.clone());
        Route { pool: self.pool.clone(), view: self.view.clone(), selected, query: self.query.clone() }
    }

    /// What is remembered after something happened.
    #[must_use]
    pub fn reduce(mut self, action: Action) -> Self {
        match action {
            Action::Navigate(route) => self.navigate(route),
            Action::Show(view) => {
                self.show(view);
                self.drawer = false;
            }
            Action::Keep(key, Some(value)) => drop(self.query.insert(key, value)),
            Action::Keep(key, None) => drop(self.query.remove(&key)),
            Action::Select(object) => self.select(object),
            Action::ShowIn(view, object) => {
                self.show(view);
                self.select(Some(object));
            }
            Action::Found(object) => {
                self.wanted = None;
                self.selected = object.or(self.selected);
            }
            Action::Filter(filter) if filter.is_empty() => drop(self.query.remove(FILTER)),
            Action::Filter(filter) => drop(self.query.insert(FILTER.into(), filter)),
            Action::SetTheme(theme) => self.theme = theme,
            Action::Speak(language) => self.language = language,
            Action::GroupTree(by) => {
                self.tree = Look { by, filter: core::mem::take(&mut self.tree.filter), ..Look::default() }
            }
            Action::FilterTree(filter) => self.tree.filter = filter,
            Action::Toggle(key) => toggle(&mut self.tree.toggled, key),
            Action::Open(keys) => keys.into_iter().for_each(|key| toggle(&mut self.tree.toggled, key)),
            Action::Unfold(lens, group) => toggle(&mut self.lens_mut(lens).expanded, group),
            Action::FoldAll(lens) => *self.lens_mut(lens) = LensState::default(),
            Action::DrawAll(lens) => self.lens_mut(lens).draw_all = true,
            Action::ToggleTable => self.as_table = !self.as_table,
            Action::Drawer(open) => self.drawer = open,
            Action::Palette(open) => self.palette = open,
            Action::Forget => {
                self = ConsoleState { pool: self.pool.take(), view: self.view.clone(), ..self.of_the_reader() };
            }
        }
        self
    }

    /// What belongs to the reader and to no pool.
    fn of_the_reader(&self) -> Self {
        let tree = Look { by: self.tree.by, ..Look::default() };
        ConsoleState { theme: self.theme, language: self.language.clone(), tree, ..ConsoleState::default() }
    }

    /// What a page keeps in its address is its own.
    fn show(&mut self, view: View) {
        if self.view != view {
            self.query.clear();
        }
        self.view = view;
    }

    fn select(&mut self, object: Option<Object>) {
        self.selected = object;
        self.wanted = None;
        self.drawer = false;
    }

    fn navigate(&mut self, route: Route) {
        if route.pool.is_some() && self.pool != route.pool {
            *self = ConsoleState { pool: route.pool, ..self.of_the_reader() };
        }
        self.view = route.view;
        self.query = route.query;
        if route.selected.is_none() {
            self.selected = None;
        }
        self.wanted = route.selected;
    }
}

/// Puts it in, or takes it out if it is there.
fn toggle<T: Ord>(set: &mut BTreeSet<T>, it: T) {
    if !set.remove(&it) {
        set.insert(it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Kind;
    use xenapi_core::RawRef;

    fn vm(text: &str) -> Object {
        Object { class: "VM", reference: RawRef::from(text) }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> ConsoleState {
        actions.into_iter().fold(ConsoleState::default(), ConsoleState::reduce)
    }

    #[test]
    fn another_pool_forgets_what_belonged_to_the_first() {
        let state = after([
            Action::Navigate(Route::parse("#/pools/a/vms")),
            Action::SetTheme(Theme::Dark),
            Action::Filter("web".into()),
            Action::Select(Some(vm("1"))),
            Action::Navigate(Route::parse("#/pools/b/topology/network")),
        ]);
        assert_eq!(state.pool.as_deref(), Some("b"));
        assert_eq!(state.view, View::Topology(Lens::Network));
        assert_eq!((state.query, state.selected, state.theme), (Query::new(), None, Theme::Dark));
    }

    #[test]
    fn an_address_selects_what_it_names() {
        let state = after([Action::Navigate(Route::parse("#/pools/a/vms?select=VM/u-1"))]);
        let named = Named { class: "VM".into(), uuid: "u-1".into() };
        assert_eq!(state.wanted, Some(named.clone()));
        // Until it is found, the address stays what it is.
        assert_eq!(state.route(|_| None).selected, Some(named.clone()));
        let found = state.reduce(Action::Found(Some(vm("r"))));
        assert_eq!((found.selected.clone(), found.wanted.clone()), (Some(vm("r")), None));
        assert_eq!(found.route(|_| Some("u-1".into())).selected, Some(named));
    }

    #[test]
    fn what_a_page_keeps_in_its_address_goes_with_the_page() {
        let kept = after([Action::Navigate(Route::parse("#/pools/a/hosts?q=x&sort=name")), Action::Keep("q".into(), None)]);
        assert_eq!(kept.route(|_| None).path(), "#/pools/a/hosts?sort=name");
        let same = kept.clone().reduce(Action::Show(View::Table(Kind::Hosts)));
        assert_eq!(same.query, kept.query);
        assert!(kept.reduce(Action::Show(View::Impact)).query.is_empty());
    }

    #[test]
    fn groups_fold_back() {
        let group = NodeId::new("group/x");
        let open = after([Action::Unfold(Lens::Compute, group.clone()), Action::DrawAll(Lens::Compute)]);
        assert!(open.lens(Lens::Compute).expanded.contains(&group));
        assert!(open.lens(Lens::Storage).expanded.is_empty());
        assert!(open.clone().reduce(Action::Unfold(Lens::Compute, group)).lens(Lens::Compute).expanded.is_empty());
        assert_eq!(*open.reduce(Action::FoldAll(Lens::Compute)).lens(Lens::Compute), LensState::default());
    }

    #[test]
    fn choosing_closes_the_drawer() {
        let state = after([Action::Drawer(true), Action::Select(Some(vm("1")))]);
        assert!(!state.drawer);
        assert!(!after([Action::Drawer(true), Action::Show(View::Table(Kind::Vms))]).drawer);
    }
}
