//! The screen of a guest: characters in cells, a cursor, and a pointer.

use alloc::vec::Vec;

use super::font;
use super::shell::{Facts, Key, Shell};

/// The size at the start, in pixels.
const SIZE: (usize, usize) = (640, 400);
/// How long a guest takes to boot, in seconds. A line comes each second.
pub(super) const BOOT: i64 = 8;

const BOOTING: [&str; 8] = [
    "SeaBIOS (simulated)",
    "Booting from Hard Disk...",
    "[    0.000000] Command line: root=/dev/xvda1 ro console=tty0",
    "[    0.512345] xen: --> HVM guest, PV drivers enabled",
    "[    1.204811] blkfront: xvda: flush diskcache: enabled",
    "[    1.873002] netfront: initialised",
    "[    2.440190] systemd[1]: Reached target network.target",
    "[    3.050871] systemd[1]: Started getty@tty1.service",
];

const DARK: u32 = 0x0000_0000;
const LIGHT: u32 = 0x00c0_c0c0;
const POINTER: u32 = 0x00ff_ffff;
/// An arrow: how wide each of its rows is.
const ARROW: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 5, 4, 2, 1];

/// See the module.
pub(super) struct Screen {
    /// In pixels.
    pub(super) size: (usize, usize),
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
    cursor: (usize, usize),
    pointer: Option<(usize, usize)>,
    /// How many lines of the boot were shown; none are left when the shell is there.
    booted: usize,
    shell: Shell,
    is_up: bool,
    /// The boot that it belongs to.
    pub(super) life: i64,
    /// Grows with every change.
    pub(super) version: u64,
}

impl Screen {
    /// The screen of a guest that started so many seconds ago.
    pub(super) fn new(facts: Facts, life: i64, uptime: i64) -> Screen {
        let mut screen = Screen {
            size: SIZE,
            columns: 0,
            rows: 0,
            cells: Vec::new(),
            cursor: (0, 0),
            pointer: None,
            booted: 0,
            shell: Shell::new(facts),
            is_up: false,
            life,
            version: 0,
        };
        screen.resize(SIZE);
        screen.tick(uptime);
        screen
    }

    /// The guest boots on.
    pub(super) fn tick(&mut self, uptime: i64) {
        if self.is_up {
            return;
        }
        if uptime >= BOOT {
            self.is_up = true;
            let banner = self.shell.banner();
            self.write("\u{c}");
            self.write(&banner);
            return;
        }
        let wanted = usize::try_from(uptime + 1).unwrap_or(0).min(BOOTING.len());
        while self.booted < wanted {
            self.write(BOOTING[self.booted]);
            self.write("\n");
            self.booted += 1;
        }
    }

    /// A key was typed. A guest that boots does not listen.
    pub(super) fn key(&mut self, key: Key, uptime: i64) {
        if self.is_up {
            let said = self.shell.key(key, uptime);
            if let Some(size) = said.resize {
                self.resize(size);
            }
            self.write(&said.text);
        }
    }

    pub(super) fn point(&mut self, x: usize, y: usize) {
        let at = Some((x.min(self.size.0.saturating_sub(1)), y.min(self.size.1.saturating_sub(1))));
        if self.pointer != at {
            self.pointer = at;
            self.version += 1;
        }
    }

    /// The lines move with the cursor, so that the last ones stay.
    fn resize(&mut self, size: (usize, usize)) {
        let (columns, rows) = (size.0 / font::WIDTH, size.1 / font::HEIGHT);
        let mut cells = Vec::from([b' ']).repeat(columns * rows);
        let lost = (self.cursor.1 + 1).saturating_sub(rows);
        for row in lost..self.rows.min(rows + lost) {
            let kept = columns.min(self.columns);
            cells[(row - lost) * columns..][..kept].copy_from_slice(&self.cells[row * self.columns..][..kept]);
        }
        self.cursor = (self.cursor.0.min(columns.saturating_sub(1)), self.cursor.1 - lost);
        (self.columns, self.rows, self.cells, self.size) = (columns, rows, cells, size);
        self.version += 1;
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\u{c}' => {
                    self.cells.fill(b' ');
                    self.cursor = (0, 0);
                }
                '\u{8}' if self.cursor.0 == 0 && self.cursor.1 > 0 => {
                    self.cursor = (self.columns - 1, self.cursor.1 - 1);
                    self.put(b' ');
                }
                '\u{8}' => {
                    self.cursor.0 = self.cursor.0.saturating_sub(1);
                    self.put(b' ');
                }
                '\n' => self.new_line(),
                c => {
                    if self.cursor.0 >= self.columns {
                        self.new_line();
                    }
                    self.put(u8::try_from(c).unwrap_or(0x7f));
                    self.cursor.0 += 1;
                }
            }
        }
        self.version += 1;
    }

    fn put(&mut self, byte: u8) {
        let at = self.cursor.1 * self.columns + self.cursor.0;
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = byte;
        }
    }

    fn new_line(&mut self) {
        self.cursor = (0, self.cursor.1 + 1);
        if self.cursor.1 >= self.rows {
            self.cells.drain(..self.columns);
            self.cells.resize(self.columns * self.rows, b' ');
            self.cursor.1 = self.rows - 1;
        }
    }

    /// All pixels, as red, green and blue from the top byte but one.
    pub(super) fn paint(&self, size: (usize, usize)) -> Vec<u32> {
        let mut pixels = Vec::from([DARK]).repeat(size.0 * size.1);
        for (y, line) in pixels.chunks_mut(size.0.max(1)).enumerate().take(self.rows * font::HEIGHT) {
            let (row, inner) = (y / font::HEIGHT, y % font::HEIGHT);
            for (x, pixel) in line.iter_mut().enumerate().take(self.columns * font::WIDTH) {
                let cell = self.cells.get(row * self.columns + x / font::WIDTH).copied().unwrap_or(b' ');
                let is_cursor = (x / font::WIDTH, row) == self.cursor && inner >= font::HEIGHT - 2;
                if is_cursor || (cell != b' ' && font::is_lit(cell, x % font::WIDTH, inner)) {
                    *pixel = LIGHT;
                }
            }
        }
        if let Some((left, top)) = self.pointer {
            for (row, width) in ARROW.iter().enumerate() {
                for column in 0..*width {
                    let (x, y) = (left + column, top + row);
                    if x < size.0
                        && let Some(pixel) = pixels.get_mut(y * size.0 + x)
                    {
                        *pixel = POINTER;
                    }
                }
            }
        }
        pixels
    }

    /// The line of text in a row.
    #[cfg(test)]
    pub(super) fn line(&self, row: usize) -> alloc::string::String {
        let cells = &self.cells[row * self.columns..][..self.columns];
        alloc::string::String::from_utf8_lossy(cells).trim_end().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(uptime: i64) -> Screen {
        Screen::new(Facts { host_name: "db-01".into(), system: "Debian 12".into() }, 1, uptime)
    }

    fn typed(screen: &mut Screen, text: &str) {
        text.bytes().filter_map(Key::of_byte).for_each(|key| screen.key(key, 100));
    }

    #[test]
    fn a_guest_boots_and_then_asks_who_is_there() {
        let mut screen = screen(1);
        assert_eq!((screen.line(0).as_str(), screen.line(2).as_str()), (BOOTING[0], ""));
        typed(&mut screen, "x");
        screen.tick(3);
        assert_eq!(screen.line(3), BOOTING[3]);
        screen.tick(BOOT);
        assert_eq!((screen.line(0).as_str(), screen.line(2).as_str()), ("Debian 12 tty1", "db-01 login:"));
        typed(&mut screen, "ab\u{8}c");
        assert_eq!(screen.line(2), "db-01 login: ac");
    }

    #[test]
    fn it_scrolls_wraps_and_changes_its_size() {
        let mut screen = screen(100);
        typed(&mut screen, "u\r\r");
        for _ in 0..40 {
            typed(&mut screen, "echo hello\r");
        }
        assert_eq!(screen.line(24), "u@db-01:~$");
        typed(&mut screen, "resize 320x200\r");
        assert_eq!((screen.size, screen.line(11).as_str()), ((320, 200), "u@db-01:~$"));
        typed(&mut screen, &"y".repeat(60));
        assert_eq!(screen.line(11).len() + screen.line(10).len(), 71);
        typed(&mut screen, &"\u{8}".repeat(60));
        typed(&mut screen, "\rresize 1024x768\r");
        assert_eq!(screen.paint(screen.size).len(), 1024 * 768);
    }

    #[test]
    fn letters_and_the_pointer_are_drawn() {
        let mut screen = screen(100);
        let lit = |screen: &Screen| screen.paint(screen.size).iter().filter(|pixel| **pixel == LIGHT).count();
        let before = lit(&screen);
        typed(&mut screen, "L");
        // Seven rows of one dot, four dots more in the last, all of them twice.
        assert_eq!(lit(&screen) - before, 22);
        screen.point(10_000, 10_000);
        assert_eq!(screen.paint(screen.size).last(), Some(&POINTER));
    }
}
