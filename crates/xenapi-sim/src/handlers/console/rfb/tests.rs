#![allow(clippy::unwrap_used)]

use super::super::shell::Facts;
use super::*;

struct Client {
    rfb: Rfb,
    screen: Screen,
}

impl Client {
    fn new() -> Self {
        let facts = Facts { host_name: "db-01".into(), system: "Debian 12".into() };
        Client { rfb: Rfb::new("db-01".into()), screen: Screen::new(facts, 1, 100) }
    }

    fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.rfb.receive(bytes, &mut self.screen, 100, &mut out).unwrap();
        out
    }

    /// Comes as far as the picture.
    fn connected() -> Self {
        let mut client = Client::new();
        assert_eq!(client.send(b"RFB 003.008\n"), [1, 1]);
        assert_eq!(client.send(&[1]), [0; 4]);
        let init = client.send(&[1]);
        assert_eq!(init[..4], [2, 128, 1, 144]);
        assert_eq!(&init[20..], b"\0\0\0\x05db-01");
        client
    }

    fn key(&mut self, symbol: u32) -> Vec<u8> {
        let symbol = symbol.to_be_bytes();
        let mut message = vec![4, 1, 0, 0];
        message.extend(symbol);
        message.extend([4, 0, 0, 0]);
        message.extend(symbol);
        self.send(&message)
    }

    fn ask(&mut self, incremental: u8) -> Vec<u8> {
        let (width, height) = self.rfb.size;
        let mut message = vec![3, incremental, 0, 0, 0, 0];
        for number in [width, height] {
            message.extend(u16::try_from(number).unwrap().to_be_bytes());
        }
        self.send(&message)
    }
}

/// Rectangles of an update: area, encoding, and the bytes behind the last header.
fn header(update: &[u8]) -> (usize, Area, i32) {
    let number = |at: usize| usize::from(u16::from_be_bytes([update[at], update[at + 1]]));
    let area = Area { x: number(4), y: number(6), width: number(8), height: number(10) };
    (number(2), area, i32::from_be_bytes(update[12..16].try_into().unwrap()))
}

#[test]
fn old_versions_are_spoken() {
    let mut client = Client::new();
    assert_eq!(client.send(b"RFB 003.003\n"), [0, 0, 0, 1]);
    assert_eq!(client.send(&[0]).len(), 24 + 5);
    let mut client = Client::new();
    assert_eq!(client.send(b"RFB 003."), b"");
    assert_eq!(client.send(b"007\n"), [1, 1]);
    assert_eq!(client.send(&[1, 1]).len(), 24 + 5);
}

#[test]
fn only_what_changes_is_told() {
    let mut client = Client::connected();
    let all = client.ask(0);
    assert_eq!(header(&all), (1, Area { x: 0, y: 0, width: 640, height: 400 }, RAW));
    assert_eq!(all.len(), 16 + 640 * 400 * 4);
    assert_eq!(client.ask(1), b"", "nothing changed");
    // The letter and the cursor behind it, in the third row of cells.
    let (count, area, _) = header(&client.key(u32::from(b'L')));
    assert_eq!((count, area.y, area.height), (1, 32, 16));
    assert!(area.x == 13 * 8 && area.width <= 16, "{area:?}");
    assert_eq!(client.ask(1), b"");
    let moved = client.send(&[5, 0, 1, 0, 0, 200]);
    assert!(header(&moved).1.x == 256, "the pointer is drawn");
}

#[test]
fn hextile_in_sixteen_bits() {
    let mut client = Client::connected();
    let format = [0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
    assert_eq!(client.send(&format), b"");
    assert_eq!(client.send(&[2, 0, 0, 2, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0x21]), b"");
    let all = client.ask(0);
    let (count, area, encoding) = header(&all);
    assert_eq!((count, area.width, encoding), (1, 640, HEXTILE));
    assert!(all.len() < 10_000, "{}", all.len());
    let mut rest = &all[16..];
    let picture = pixels::tests::read(&mut rest, 2, 640, 400);
    assert!(rest.is_empty());
    let lit = picture.iter().filter(|pixel| **pixel != [0, 0]).count();
    let expected = client.screen.paint((640, 400)).iter().filter(|pixel| **pixel != 0).count();
    assert_eq!(lit, expected);
}

#[test]
fn the_size_follows_where_the_client_can() {
    let mut client = Client::connected();
    client.send(&[2, 0, 0, 1, 0xff, 0xff, 0xff, 0x21]);
    client.ask(0);
    for key in b"u\r\rresize 800x600\r" {
        client.key(if *key == b'\r' { 0xff0d } else { u32::from(*key) });
    }
    let told = client.ask(1);
    assert_eq!(header(&told), (1, Area { x: 0, y: 0, width: 800, height: 600 }, DESKTOP_SIZE));
    assert_eq!(header(&client.ask(1)), (1, Area { x: 0, y: 0, width: 800, height: 600 }, RAW));
}

#[test]
fn bytes_may_come_one_by_one() {
    let mut client = Client::connected();
    client.ask(0);
    let mut answers = Vec::new();
    let messages =
        [&[6, 0, 0, 0, 0, 0, 0, 3, b'a', b'b', b'c'][..], &[4, 1, 0, 0, 0, 0, 0, b'x'], &[3, 1, 0, 0, 0, 0, 2, 128, 1, 144]];
    for byte in messages.concat() {
        answers.extend(client.send(&[byte]));
    }
    assert_eq!(header(&answers).0, 1);
    assert_eq!(client.screen.line(2), "db-01 login: x");
}

#[test]
fn nonsense_ends_it() {
    let ends = |mut client: Client, bytes: &[u8]| {
        let mut out = Vec::new();
        let wrong = client.rfb.receive(bytes, &mut client.screen, 100, &mut out);
        assert!(wrong.is_err(), "{bytes:?}");
        out
    };
    assert_eq!(ends(Client::new(), b"GET / HTTP/1.1\r\n\r\n").first(), Some(&0));
    assert!(String::from_utf8_lossy(&ends(Client::new(), b"RFB 009.009\n")).contains("3.8"));
    let mut client = Client::new();
    client.send(b"RFB 003.008\n");
    assert!(String::from_utf8_lossy(&ends(client, &[2])).contains("None"));
    for bytes in [
        &[9][..],
        &[1, 0, 0],
        &[2, 0, 0xff, 0xff],
        &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0],
    ] {
        ends(Client::connected(), bytes);
    }
    // An area that is none does no harm.
    let mut client = Client::connected();
    client.send(&[3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    client.send(&[5, 0, 0xff, 0xff, 0xff, 0xff]);
    client.ask(1);
}
