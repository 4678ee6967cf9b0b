//! What can be done from anywhere.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_topology::Lens;
use xenapi_topology::impact::Component;

use crate::language::LANGUAGES;
use crate::object::{Icon, Object, icon};
use crate::route::{Kind, View};
use crate::select;
use crate::tables::Spec;
use crate::text::Text;
use crate::theme::Theme;

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Show a page.
    Show(View),
    /// Show what would stop if an object failed, as the address names it: `host/<uuid>`.
    Impact(String),
    /// Put a uuid on the clipboard.
    CopyUuid(String),
    /// Choose the colours.
    Theme(Theme),
    /// Speak a language.
    Speak(&'static str),
    /// End the session.
    LogOut,
}

impl Act {
    /// Whether it only shows something.
    pub fn is_going(&self) -> bool {
        matches!(self, Act::Show(_) | Act::Impact(_))
    }

    /// Its lasting name.
    pub fn id(&self) -> String {
        match self {
            Act::Show(view) => crate::route::Route::to(Some(String::new()), view.clone()).path(),
            Act::Impact(fail) => ["impact ", fail].concat(),
            Act::CopyUuid(uuid) => ["copy ", uuid].concat(),
            Act::Theme(theme) => ["theme ", theme.name()].concat(),
            Act::Speak(code) => ["speak ", code].concat(),
            Act::LogOut => "log out".to_string(),
        }
    }
}

/// What can be done, with its words and picture; with the selected object as well.
pub fn acts(cache: &Cache, selected: Option<&Object>) -> Vec<(Act, String, Icon)> {
    let mut acts = Vec::new();
    let mut add = |act: Act, title: String, icon: Icon| acts.push((act, title, icon));
    add(Act::Show(View::Overview), Text::ViewOverview.get().into(), Icon::Pool);
    for lens in Lens::ALL {
        let word = match lens {
            Lens::Compute => Text::LensCompute,
            Lens::Storage => Text::LensStorage,
            Lens::Network => Text::LensNetwork,
        };
        add(Act::Show(View::Topology(lens)), Text::PaletteOf.with(&[Text::ViewTopology.get(), word.get()]), Icon::Group);
    }
    for kind in Kind::ALL {
        let spec = Spec::of(kind);
        add(Act::Show(View::Table(kind)), Text::PaletteOf.with(&[Text::Tables.get(), spec.title.get()]), spec.icon);
    }
    add(Act::Show(View::Impact), Text::ViewImpact.get().into(), Icon::Group);
    add(Act::Show(View::Explorer(Vec::new())), Text::ViewApi.get().into(), Icon::Group);
    let selected = selected.and_then(|object| Some((object, select::uuid_of(cache, object)?)));
    if let Some((object, uuid)) = selected {
        let name = select::name_of(cache, object.class, &object.reference).unwrap_or_else(|| uuid.clone());
        if Component::new(object.class, &object.reference).is_some() {
            let fail = [object.class, "/", &uuid].concat();
            add(Act::Impact(fail), Text::PaletteImpact.with(&[&name]), icon(object.class));
        }
        add(Act::CopyUuid(uuid), Text::PaletteCopyUuid.with(&[&name]), icon(object.class));
    }
    for (theme, word) in
        [(Theme::Light, Text::ThemeLight), (Theme::Dark, Text::ThemeDark), (Theme::System, Text::ThemeSystem)]
    {
        add(Act::Theme(theme), word.get().into(), Icon::Group);
    }
    for (code, name) in LANGUAGES {
        add(Act::Speak(code), (*name).into(), Icon::Group);
    }
    add(Act::LogOut, Text::LogOut.get().into(), Icon::Group);
    acts
}
