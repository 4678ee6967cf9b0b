//! What a guest says on its console: it asks who logs in, echoes what is typed, and knows a few commands.

use alloc::format;
use alloc::string::{String, ToString as _};

/// A line is never longer.
const LONGEST: usize = 200;

/// What the guest knows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) host_name: String,
    pub(super) system: String,
}

/// A key, or a byte of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A printable character of ASCII.
    Text(char),
    Enter,
    Backspace,
    /// Control and a small letter.
    Control(char),
}

impl Key {
    /// The key for a byte of a serial line.
    pub(super) fn of_byte(byte: u8) -> Option<Key> {
        Some(match byte {
            b'\r' | b'\n' => Key::Enter,
            8 | 127 => Key::Backspace,
            1..=26 => Key::Control(char::from(byte - 1 + b'a')),
            b' '..=b'~' => Key::Text(char::from(byte)),
            _ => return None,
        })
    }
}

/// What comes of a key.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// With `\n` for a new line, `\u{8}` for a character taken back, `\u{c}` for an empty screen.
    pub(super) text: String,
    /// The screen gets another size, in pixels.
    pub(super) resize: Option<(usize, usize)>,
}

enum Stage {
    Login,
    Password(String),
    Command(String),
}

/// A login and what follows.
pub(super) struct Shell {
    facts: Facts,
    stage: Stage,
    line: String,
}

impl Shell {
    pub(super) fn new(facts: Facts) -> Self {
        Shell { facts, stage: Stage::Login, line: String::new() }
    }

    /// What stands there before anybody typed.
    pub(super) fn banner(&self) -> String {
        format!("{} tty1\n\n{}", self.facts.system, self.prompt())
    }

    fn prompt(&self) -> String {
        match &self.stage {
            Stage::Login => format!("{} login: ", self.facts.host_name),
            Stage::Password(_) => "Password: ".into(),
            Stage::Command(user) => {
                let sign = if user == "root" { '#' } else { '$' };
                format!("{user}@{}:~{sign} ", self.facts.host_name)
            }
        }
    }

    /// Takes a key. `uptime` is in seconds.
    pub(super) fn key(&mut self, key: Key, uptime: i64) -> Said {
        let mut said = Said::default();
        let hidden = matches!(self.stage, Stage::Password(_));
        match key {
            Key::Text(c) if self.line.len() < LONGEST => {
                self.line.push(c);
                if !hidden {
                    said.text.push(c);
                }
            }
            Key::Text(_) => {}
            Key::Backspace => {
                if self.line.pop().is_some() && !hidden {
                    said.text.push('\u{8}');
                }
            }
            Key::Enter => {
                let line = core::mem::take(&mut self.line);
                said.text.push('\n');
                self.enter(line.trim(), uptime, &mut said);
                said.text += &self.prompt();
            }
            Key::Control('l') => said.text = format!("\u{c}{}{}", self.prompt(), if hidden { "" } else { &self.line }),
            Key::Control(c @ ('c' | 'u')) => {
                self.line.clear();
                said.text = if c == 'c' { format!("^C\n{}", self.prompt()) } else { format!("\n{}", self.prompt()) };
            }
            Key::Control('d') if self.line.is_empty() => {
                self.stage = Stage::Login;
                said.text = format!("\u{c}{}", self.banner());
            }
            Key::Control(_) => {}
        }
        said
    }

    fn enter(&mut self, line: &str, uptime: i64, said: &mut Said) {
        match core::mem::replace(&mut self.stage, Stage::Login) {
            Stage::Login if line.is_empty() => {}
            Stage::Login => self.stage = Stage::Password(line.to_string()),
            Stage::Password(user) => {
                said.text +=
                    &format!("Welcome to {}.\nType help for the commands of this simulated guest.\n", self.facts.system);
                self.stage = Stage::Command(user);
            }
            Stage::Command(user) => {
                if self.command(&user, line, uptime, said) {
                    self.stage = Stage::Command(user);
                }
            }
        }
    }

    /// Does what a line says. False ends the session.
    fn command(&self, user: &str, line: &str, uptime: i64, said: &mut Said) -> bool {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "help" => said.text += "clear  echo TEXT  exit  hostname  resize WxH  uname  uptime  whoami\n",
            "clear" => said.text.push('\u{c}'),
            "echo" => said.text += &format!("{}\n", rest.trim()),
            "hostname" => said.text += &format!("{}\n", self.facts.host_name),
            "uname" => said.text += &format!("{}\n", self.facts.system),
            "whoami" => said.text += &format!("{user}\n"),
            "uptime" => said.text += &format!("up {} min, 1 user\n", uptime / 60),
            "resize" => match size(rest.trim()) {
                Some(size) => said.resize = Some(size),
                None => said.text += "resize: from 320x200 to 1920x1200, as in: resize 1024x768\n",
            },
            "exit" | "logout" => {
                said.text = format!("\u{c}{} tty1\n\n", self.facts.system);
                return false;
            }
            other => said.text += &format!("{other}: command not found\n"),
        }
        true
    }
}

/// A size as in `1024x768`.
fn size(text: &str) -> Option<(usize, usize)> {
    let (width, height) = text.split_once('x')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    ((320..=1920).contains(&width) && (200..=1200).contains(&height)).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Shell {
        Shell::new(Facts { host_name: "web-01".into(), system: "Debian 12".into() })
    }

    fn typed(shell: &mut Shell, text: &str) -> String {
        text.bytes().filter_map(Key::of_byte).map(|key| shell.key(key, 120).text).collect()
    }

    #[test]
    fn who_logs_in_sees_what_is_typed_but_no_password() {
        let mut shell = shell();
        assert_eq!(shell.banner(), "Debian 12 tty1\n\nweb-01 login: ");
        assert_eq!(typed(&mut shell, "roo\u{7f}ot\r"), "roo\u{8}ot\nPassword: ");
        let welcome = typed(&mut shell, "secret\r");
        assert!(!welcome.contains("secret") && welcome.ends_with("root@web-01:~# "), "{welcome}");
        assert_eq!(typed(&mut shell, "echo a  b\r"), "echo a  b\na  b\nroot@web-01:~# ");
        assert!(typed(&mut shell, "fly\r").contains("fly: command not found"));
        assert!(typed(&mut shell, "uptime\r").contains("up 2 min"));
        assert!(typed(&mut shell, "exit\r").ends_with("web-01 login: "));
    }

    #[test]
    fn sizes_have_limits() {
        for (text, expected) in
            [("1024x768", Some((1024, 768))), ("9x9", None), ("99999x768", None), ("x", None), ("-800x600", None)]
        {
            assert_eq!(size(text), expected, "{text}");
        }
        let mut shell = shell();
        typed(&mut shell, "u\r\r");
        let said: Option<Said> = "resize 800x600\r".bytes().filter_map(Key::of_byte).map(|key| shell.key(key, 0)).last();
        assert_eq!(said.and_then(|said| said.resize), Some((800, 600)));
        assert_eq!(typed(&mut shell, &"x".repeat(1000)).len(), LONGEST);
    }
}
