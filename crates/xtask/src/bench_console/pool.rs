//! Somebody else who changes the pool.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::command::Stop;

/// A connection to the simulated pool, with a session and the VMs.
pub(super) struct Pool {
    stream: BufReader<TcpStream>,
    address: String,
    session: String,
    /// References of VMs that run.
    running: Vec<String>,
}

impl Pool {
    pub(super) fn log_in(url: &str) -> Result<Self, Stop> {
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&address).and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = stream.map_err(|error| Stop::failed(format!("the simulated pool: {error}")))?;
        let mut pool = Pool { stream: BufReader::new(stream), address, session: String::new(), running: Vec::new() };
        let answer = pool.call("session.login_with_password", &["root", "xenoxide", "1.0", "xenoxide-bench"])?;
        pool.session = references(&answer).next().unwrap_or_default().to_owned();
        let hosts = pool.call("host.get_all", &[&pool.session.clone()])?;
        for host in references(&hosts) {
            let residents = pool.call("host.get_resident_VMs", &[&pool.session.clone(), host])?;
            // The first one is the control domain.
            pool.running.extend(references(&residents).skip(1).map(str::to_owned));
        }
        if pool.running.is_empty() { Err(Stop::failed("no VM runs in the simulated pool")) } else { Ok(pool) }
    }

    /// Changes something that is seen, and says when that was asked for, in milliseconds since 1970.
    pub(super) fn touch(&mut self, number: usize) -> Result<f64, Stop> {
        let vm = self.running[number % 40].clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.change(&vm, &format!("changed {number}"))?;
        Ok(now.as_secs_f64() * 1000.0)
    }

    /// Changes so many VMs a second for a while, and says how many there really were.
    pub(super) fn storm(&mut self, rate: u32, time: Duration) -> Result<f64, Stop> {
        let (start, pause) = (Instant::now(), Duration::from_secs(1) / rate);
        let mut count = 0_u32;
        while start.elapsed() < time {
            let at = usize::try_from(count).unwrap_or(0) * 7919 % self.running.len();
            let vm = self.running[at].clone();
            self.change(&vm, &format!("stormy {count}"))?;
            count += 1;
            let due = pause * count;
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        Ok(f64::from(count) / start.elapsed().as_secs_f64())
    }

    fn change(&mut self, vm: &str, name: &str) -> Result<(), Stop> {
        self.call("VM.set_name_label", &[&self.session.clone(), vm, name]).map(drop)
    }

    /// The text of the answer to a call whose parameters are plain text.
    fn call(&mut self, method: &str, params: &[&str]) -> Result<String, Stop> {
        let params: String = params.iter().map(|it| format!("<param><value>{it}</value></param>")).collect();
        let body = format!(
            "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
        );
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let answer = self.exchange(&(head + &body)).map_err(|error| Stop::failed(format!("{method}: {error}")))?;
        if answer.contains("<value>Success</value>") {
            return Ok(answer);
        }
        Err(Stop::failed(format!("{method}: {}", answer.chars().take(500).collect::<String>())))
    }

    fn exchange(&mut self, request: &str) -> std::io::Result<String> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// The references in a document.
fn references(document: &str) -> impl Iterator<Item = &str> {
    document.split("<value>").filter_map(|value| value.split('<').next()).filter(|text| text.starts_with("OpaqueRef:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_an_answer() {
        let document = "<value><array><data><value>OpaqueRef:1</value><value>OpaqueRef:2</value></data></array></value>";
        assert_eq!(references(document).collect::<Vec<_>>(), ["OpaqueRef:1", "OpaqueRef:2"]);
    }
}
