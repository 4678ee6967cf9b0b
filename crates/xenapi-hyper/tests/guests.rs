//! Metrics, consoles, exports and dumps of a simulated pool, as clients see them.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

#[path = "common/pool.rs"]
mod pool;

use core::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xenapi_hyper::server::{HostConfig, ServerConfig, SimServer, serve};
use xenapi_sim::{Config, Sim};

use pool::{ROOT, Raw, call, login, pool, raw, value};

fn any() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Hosts with addresses of their own, and VMs enough for some with disks on their host.
async fn spread() -> SimServer {
    let sim = Sim::new(&Config::default());
    let hosts: Vec<_> = sim.hosts().into_iter().map(|host| host.reference).collect();
    let hosts = HostConfig::spread(&hosts, Some(any()), Some(any())).unwrap();
    serve(sim, &ServerConfig { hosts, ..ServerConfig::default() }).await.unwrap()
}

/// A request after which the connection closes, with the bytes of the reply.
async fn bytes(address: SocketAddr, method: &str, target: &str, headers: &str, body: &[u8]) -> (String, Vec<u8>) {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n{length}{headers}\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut reply = Vec::new();
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    stream.read_to_end(&mut reply).await.unwrap();
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = reply.split_off(end + 4);
    (String::from_utf8(reply).unwrap(), body)
}

/// The first reference in a reply.
fn reference(reply: &Raw) -> String {
    let at = reply.body.find("OpaqueRef:").unwrap_or_else(|| panic!("{reply:?}"));
    reply.body[at..at + 46].into()
}

async fn vm_named(address: SocketAddr, session: &str, name: &str) -> String {
    reference(&call(address, "VM.get_by_name_label", &[session, name]).await)
}

/// The values of the second row of an answer about metrics.
fn second_row(xml: &str) -> &str {
    xml.split("<row>").nth(2).unwrap_or_else(|| panic!("{xml}"))
}

#[tokio::test]
async fn a34_an_export_is_where_the_disks_are() {
    let pool = spread().await;
    let master = pool.hosts()[0].http.unwrap();
    let session = login(master).await;
    let vm = vm_named(master, &session, "desktop-01").await;
    let uuid = value(&call(master, "VM.get_uuid", &[&session, &vm]).await).to_owned();
    let cookie = format!("Cookie: session_id={session}\r\n");
    let (mut given, mut sent_on) = (0, 0);
    for host in pool.hosts() {
        let (head, _) = bytes(host.http.unwrap(), "GET", &format!("/export?uuid={uuid}"), &cookie, b"").await;
        if head.starts_with("HTTP/1.0 200 OK") {
            given += 1;
        } else {
            assert!(head.starts_with("HTTP/1.1 302 Found"), "{head}");
            let location = head.split("location: https://").nth(1).unwrap();
            assert!(location.contains(&format!("/export?uuid={uuid}")), "{head}");
            sent_on += 1;
        }
    }
    assert_eq!((given, sent_on), (1, 2));
}

#[tokio::test]
async fn a62_metrics_come_newest_first() {
    let pool = spread().await;
    let mut seen = Vec::new();
    for host in pool.hosts() {
        let request = format!("GET /rrd_updates?start=-3600&host=true HTTP/1.1\r\nconnection: close\r\n{ROOT}\r\n");
        let reply = raw(host.http.unwrap(), request.as_bytes()).await;
        assert_eq!(reply.header("content-type"), Some("text/xml"));
        let entries: Vec<&str> = reply.body.split("<entry>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
        for entry in &entries {
            let parts: Vec<&str> = entry.splitn(4, ':').collect();
            assert!(["AVERAGE", "MIN", "MAX", "LAST"].contains(&parts[0]) && ["vm", "host", "sr"].contains(&parts[1]));
            assert!(parts[2].len() == 36 && !parts[3].is_empty(), "{entry}");
        }
        let times: Vec<i64> =
            reply.body.split("<t>").skip(1).map(|rest| rest.split_once('<').unwrap().0.parse().unwrap()).collect();
        assert!(times.len() > 50 && times.windows(2).all(|pair| pair[0] == pair[1] + 60), "{times:?}");
        let row = second_row(&reply.body);
        assert_eq!(row.matches("<v>").count(), entries.len());
        for number in row.split("<v>").skip(1) {
            let number = number.split_once('<').unwrap().0;
            assert!(number == "NaN" || number.parse::<f64>().unwrap().is_finite(), "{number}");
        }
        let hosts: Vec<&str> = entries.iter().filter(|entry| entry.contains(":host:")).map(|entry| &entry[13..49]).collect();
        assert!(hosts.windows(2).all(|pair| pair[0] == pair[1]), "each host tells of itself");
        seen.push(hosts[0].to_owned());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

/// The client's side of RFB, as far as these tests need it.
struct Screen {
    stream: TcpStream,
    size: (usize, usize),
    pixels: Vec<u32>,
}

impl Screen {
    async fn connect(address: SocketAddr, target: &str, session: &str) -> Screen {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("CONNECT {target} HTTP/1.0\r\nCookie: session_id={session}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
        let mut screen = Screen { stream, size: (0, 0), pixels: Vec::new() };
        assert_eq!(screen.take(12).await, b"RFB 003.008\n");
        screen.stream.write_all(b"RFB 003.008\n").await.unwrap();
        assert_eq!(screen.take(2).await, [1, 1]);
        screen.stream.write_all(&[1]).await.unwrap();
        assert_eq!(screen.take(4).await, [0; 4]);
        screen.stream.write_all(&[1]).await.unwrap();
        let width = usize::from(screen.stream.read_u16().await.unwrap());
        let height = usize::from(screen.stream.read_u16().await.unwrap());
        screen.take(16).await;
        let name = screen.stream.read_u32().await.unwrap();
        assert_eq!(screen.take(usize::try_from(name).unwrap()).await, b"web-01");
        (screen.size, screen.pixels) = ((width, height), vec![0; width * height]);
        screen
    }

    async fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    /// Asks for the picture, or for what changed of it, and draws what comes.
    async fn update(&mut self, incremental: bool) {
        let mut message = vec![3, u8::from(incremental), 0, 0, 0, 0];
        message.extend(u16::try_from(self.size.0).unwrap().to_be_bytes());
        message.extend(u16::try_from(self.size.1).unwrap().to_be_bytes());
        self.stream.write_all(&message).await.unwrap();
        assert_eq!(self.take(2).await, [0, 0]);
        for _ in 0..self.stream.read_u16().await.unwrap() {
            let mut area = [0; 4];
            for number in &mut area {
                *number = usize::from(self.stream.read_u16().await.unwrap());
            }
            assert_eq!(self.stream.read_i32().await.unwrap(), 0, "raw");
            let bytes = self.take(area[2] * area[3] * 4).await;
            for (at, pixel) in bytes.chunks_exact(4).enumerate() {
                let (x, y) = (area[0] + at % area[2], area[1] + at / area[2]);
                self.pixels[y * self.size.0 + x] = u32::from_le_bytes(pixel.try_into().unwrap());
            }
        }
    }

    async fn key(&mut self, symbol: u32) {
        for down in [1, 0] {
            let message = [&[4, down, 0, 0][..], &symbol.to_be_bytes()].concat();
            self.stream.write_all(&message).await.unwrap();
        }
    }

    /// The pixels of a character's cell.
    fn cell(&self, column: usize, row: usize) -> Vec<u32> {
        let lines = (0..16).flat_map(|y| {
            let start = (row * 16 + y) * self.size.0 + column * 8;
            self.pixels[start..start + 8].to_vec()
        });
        lines.collect()
    }
}

#[tokio::test]
async fn typed_keys_are_on_the_screen() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let vm = vm_named(at, &session, "web-01").await;
    let mut screen = Screen::connect(at, &format!("/console?ref={vm}"), &session).await;
    assert_eq!(screen.size, (640, 400));
    screen.update(false).await;
    // `web-01 login: ` in the third row; what is typed follows.
    let blank = screen.cell(20, 10);
    assert!(screen.cell(0, 2) != blank && screen.cell(14, 2) != blank && screen.cell(15, 2) == blank);
    for key in *b"wow" {
        screen.key(u32::from(key)).await;
        screen.update(true).await;
    }
    assert!(
        screen.cell(14, 2) == screen.cell(16, 2) && screen.cell(14, 2) == screen.cell(0, 2),
        "all three are the letter w"
    );
    assert!(screen.cell(15, 2) != blank && screen.cell(15, 2) == screen.cell(9 - 1, 2), "and this is the o of login");
    // Who comes later finds it so, and a screenshot is there for everybody.
    let mut second = Screen::connect(at, &format!("/console?ref={vm}"), &session).await;
    second.update(false).await;
    assert!(second.pixels == screen.pixels);
    let cookie = format!("Cookie: session_id={session}\r\n");
    let (head, image) = bytes(at, "GET", &format!("/vncsnapshot?ref={vm}"), &cookie, b"").await;
    assert!(head.contains("content-type: image/jpeg") && image.starts_with(&[0xff, 0xd8]), "{head}");
    // The console ends with its VM.
    let stopped = call(at, "VM.hard_shutdown", &[&session, &vm]).await;
    assert_eq!(value(&stopped), "");
    let mut rest = Vec::new();
    screen.stream.read_to_end(&mut rest).await.unwrap();
    let refused = bytes(at, "GET", &format!("/vncsnapshot?ref={vm}"), &cookie, b"").await.0;
    assert!(refused.starts_with("HTTP/1.1 500 "), "{refused}");
}

#[tokio::test]
async fn a_websocket_carries_the_same() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let vm = vm_named(at, &session, "web-01").await;
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = format!(
        "GET /console?ref={vm}&session_id={session} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"RFB 003.008\n") {
        reply.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8_lossy(&reply);
    assert!(text.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{text}");
    assert!(text.contains("Sec-WebSocket-Protocol: binary\r\n") && text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
    // With a mask of zeros.
    stream.write_all(b"\x82\x8c\0\0\0\0RFB 003.008\n").await.unwrap();
    let mut frame = [0; 4];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame, [0x82, 2, 1, 1]);
    stream.write_all(b"\x88\x80\0\0\0\0").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [0x88, 0]);
}

#[tokio::test]
async fn a_vm_goes_out_and_comes_back() {
    let pool = spread().await;
    let at = pool.hosts()[0].http.unwrap();
    let session = login(at).await;
    let cookie = format!("Cookie: session_id={session}\r\n");
    let vm = vm_named(at, &session, "cache-01").await;
    let power = call(at, "VM.get_power_state", &[&session, &vm]).await;
    assert_eq!(value(&power), "Halted");
    let (head, archive) = bytes(at, "GET", &format!("/export?ref={vm}"), &cookie, b"").await;
    assert!(head.starts_with("HTTP/1.0 200 OK") && head.contains("export.xva") && head.contains("task-id: "), "{head}");
    let task = reference(&call(at, "task.create", &[&session, "import", ""]).await);
    let (head, _) = bytes(at, "PUT", &format!("/import?task_id={task}"), &cookie, &archive).await;
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    let status = call(at, "task.get_status", &[&session, &task]).await;
    assert_eq!(value(&status), "success");
    let new = reference(&call(at, "task.get_result", &[&session, &task]).await);
    assert_ne!(new, vm);
    let name = call(at, "VM.get_name_label", &[&session, &new]).await;
    assert_eq!(value(&name), "cache-01");
    let started = pool::raw(at, &pool::post("/", "", &start(&session, &new))).await;
    assert_eq!(value(&started), "");
}

fn start(session: &str, vm: &str) -> Vec<u8> {
    let params = vec![session.into(), vm.into(), false.into(), false.into()];
    xenapi_codec::xmlrpc::write_call(&xenapi_core::RawCall { method: "VM.start".into(), params })
}

#[tokio::test]
async fn a_dump_makes_the_same_pool() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let (head, dump) = bytes(at, "GET", "/pool/xmldbdump", ROOT, b"").await;
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    let (sim, notes) = Sim::from_database(&dump, 0).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    let names = |sim: &Sim| sim.hosts().into_iter().map(|host| host.uuid).collect::<Vec<_>>();
    assert_eq!(names(&sim), pool.with(|original, _| names(original)));
}
