//! What the help says beside the options.

use std::sync::LazyLock;

use super::exit;

/// The variables of the environment, and what they are for.
pub const VARIABLES: [(&str, &str); 5] = [
    ("XENOXIDE_USER", "The user, where --user does not say it."),
    ("XENOXIDE_PASSWORD", "The password, where --password-file does not say it."),
    ("XENOXIDE_KNOWN_HOSTS", "The file of trusted certificates, by default ~/.config/xenoxide/known_hosts."),
    ("XDG_CONFIG_HOME", "The folder to use in the place of ~/.config."),
    ("NO_COLOR", "Not empty: no colours, unless --color says otherwise."),
];

/// What `xenoxide --help` says after the options.
pub(super) static AFTER: LazyLock<String> = LazyLock::new(|| {
    let variables: String = VARIABLES.iter().map(|(name, about)| format!("  {name:<21} {about}\n")).collect();
    format!(
        "Exit codes:\n{}\nEnvironment:\n{variables}\nPasswords are never taken from the command line, where others can see them: they come from a \
         question on the terminal, a file, or the environment.",
        exit::listed()
    )
});
