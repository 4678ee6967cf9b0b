//! Exports and imports: VMs and disks as streams.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use bytes::{Buf as _, Bytes};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use xenapi_core::{Ref, Wire as _};
use xenapi_model::{SR, Task, VDI, VM, task};

use crate::body::ReplyBody;
use crate::call_error::{Error, ErrorKind};
use crate::client::{Client, read_task_result};
use crate::error::{TransportError, TransportErrorKind};
use crate::pool::Location;
use crate::stream::{Connection, Head};
use crate::tasks::{Watched, failure_of};
use crate::transport::{Request, Transport};

/// How long a server may take to begin an answer, and how long it may pause in a body.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it is waited for an answer before the body is sent. xapi answers imports at once, and other hosts are named instead of it
/// then; whoever wants the body first gets it.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// How many hosts may send on to one another.
const MOST_HOSTS: usize = 4;
/// How much of a body is sent at once.
const PIECE: usize = 256 << 10;

/// How an export is packed by the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Every release can.
    Gzip,
    /// Since Citrix Hypervisor 8.
    Zstd,
}

/// How a disk is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFormat {
    /// Every byte.
    Raw,
    /// Microsoft's format, only what is used.
    Vhd,
    /// QEMU's, in the newest releases.
    Qcow2,
}

impl DiskFormat {
    const fn as_str(self) -> &'static str {
        match self {
            DiskFormat::Raw => "raw",
            DiskFormat::Vhd => "vhd",
            DiskFormat::Qcow2 => "qcow2",
        }
    }
}

/// What to export.
#[derive(Clone, Debug)]
pub struct Export {
    path: &'static str,
    query: Vec<(&'static str, String)>,
}

impl Export {
    /// A VM with its disks, as an `.xva`. It has to be halted or suspended; or export a snapshot of it.
    pub fn vm(vm: &Ref<VM>) -> Self {
        Export { path: "/export", query: vec![("ref", vm.as_str().into())] }
    }

    /// A VM without what is on its disks.
    pub fn vm_metadata(vm: &Ref<VM>) -> Self {
        Export { path: "/export_metadata", query: vec![("ref", vm.as_str().into())] }
    }

    /// A disk. No VM may write to it meanwhile.
    pub fn disk(vdi: &Ref<VDI>, format: DiskFormat) -> Self {
        Export { path: "/export_raw_vdi", query: vec![("vdi", vdi.as_str().into()), ("format", format.as_str().into())] }
    }

    /// Packed, so that less is carried and more is computed.
    #[must_use]
    pub fn compressed(self, compression: Compression) -> Self {
        let word = match compression {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        self.with("use_compression", word)
    }

    /// With whether the VM is suspended or halted, so that the import is the same.
    #[must_use]
    pub fn preserving_power_state(self) -> Self {
        self.with("preserve_power_state", "true")
    }

    /// Only the blocks of a disk that differ from an older one, such as an earlier snapshot; for [`DiskFormat::Vhd`].
    #[must_use]
    pub fn since(self, base: &Ref<VDI>) -> Self {
        self.with("base", base.as_str())
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// What to import.
#[derive(Clone, Debug)]
pub struct Import {
    path: &'static str,
    query: Vec<(&'static str, String)>,
    makes_vms: bool,
}

impl Import {
    /// VMs with their disks, as an `.xva`, onto the pool's default SR.
    pub fn vm() -> Self {
        Import { path: "/import", query: Vec::new(), makes_vms: true }
    }

    /// VMs without what is on their disks.
    pub fn vm_metadata() -> Self {
        Import { path: "/import_metadata", query: Vec::new(), makes_vms: true }
    }

    /// The content of a disk that there is.
    pub fn disk(vdi: &Ref<VDI>, format: DiskFormat) -> Self {
        let query = vec![("vdi", vdi.as_str().into()), ("format", format.as_str().into())];
        Import { path: "/import_raw_vdi", query, makes_vms: false }
    }

    /// Onto this SR.
    #[must_use]
    pub fn onto(self, sr: &Ref<SR>) -> Self {
        self.with("sr_id", sr.as_str())
    }

    /// As the same VMs, with their MAC addresses and uuids, not as copies.
    #[must_use]
    pub fn restoring(self) -> Self {
        self.with("restore", "true")
    }

    /// Even with wrong checksums and parts missing.
    #[must_use]
    pub fn forced(self) -> Self {
        self.with("force", "true")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

fn path_of(path: &str, query: &[(&'static str, String)], task: &Ref<Task>) -> String {
    let mut text = format!("{path}?task_id={}", task.as_str());
    for (name, value) in query {
        text += &format!("&{name}={value}");
    }
    text
}

/// The task of a transfer; cancelled and forgotten when the transfer is given up.
struct TransferTask {
    watched: Option<Watched>,
}

impl Drop for TransferTask {
    fn drop(&mut self) {
        let Some(Watched { client, task, .. }) = self.watched.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // The server ends and forgets tasks by itself after a while.
            drop(runtime.spawn(async move {
                let _ = client.call(task::cancel(&task)).await;
                let _ = client.call(task::destroy(&task)).await;
            }));
        }
    }
}

impl TransferTask {
    async fn new(client: &Client, label: &str) -> Result<Self, Error> {
        let task = client.call(task::create(label, "")).await?;
        Ok(TransferTask { watched: Some(Watched::new(client.clone(), task)) })
    }

    /// The record at its end, or why it failed.
    async fn ended(&mut self, what: &str, on_progress: &mut impl FnMut(f64)) -> Result<task::Record, Error> {
        let Some(watched) = &mut self.watched else {
            return Ok(task::Record::default());
        };
        while let Some(progress) = watched.progress().await? {
            on_progress(progress);
        }
        let record = watched.ended().await?;
        let (client, task) = (watched.client.clone(), watched.task.clone());
        self.watched = None;
        match failure_of(&task, &record) {
            None => Ok(record),
            Some(failure) => Err(client.error(what, ErrorKind::Failure(failure))),
        }
    }
}

impl Client {
    /// Begins an export, at the host that can reach the disks. Read it to its end, then ask [`Download::finish`] whether all of it came:
    /// the stream alone cannot tell.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn export(&self, export: &Export) -> Result<Download, Error> {
        let label = format!("GET {}", export.path);
        let task = TransferTask::new(self, &label).await?;
        let reference = task.watched.as_ref().map(|watched| watched.task.clone()).unwrap_or_default();
        let mut path = path_of(export.path, &export.query, &reference);
        let mut transport = self.transport().clone();
        for _ in 0..MOST_HOSTS {
            let headers = HeaderMap::from_iter(self.cookie());
            let (method, body) = (Method::GET, Bytes::new());
            let request = Request { method, path, headers, body, timeout: PATIENCE, repeatable: false };
            let reply = transport.send_unlimited(request).await.map_err(|error| self.failed(&label, error))?;
            if reply.status() == StatusCode::OK {
                return Ok(Download { body: reply.into_body(), piece: Bytes::new(), ended: false, task, label });
            }
            if reply.status() != StatusCode::FOUND {
                return Err(self.page(&label, &transport, reply, task).await);
            }
            (transport, path) = self.sent_on(&label, reply.headers()).await?;
        }
        Err(self.error(&label, ErrorKind::Unusable("the hosts send on to one another".into())))
    }

    /// What a page of an error means; the task knows better if it failed.
    async fn page(&self, label: &str, transport: &Transport, reply: Response<ReplyBody>, mut task: TransferTask) -> Error {
        let status = reply.status().as_u16();
        let page = match reply.into_body().collect_all().await {
            Ok(page) => page,
            Err(error) => return self.failed(label, error),
        };
        let error = self.failed(label, TransportError::status(transport.target(), status, &page));
        self.reason(label, &mut task).await.unwrap_or(error)
    }

    /// Why the task failed, if it did.
    async fn reason(&self, label: &str, task: &mut TransferTask) -> Option<Error> {
        let reference = task.watched.as_ref().map(|watched| watched.task.clone())?;
        let record = self.call(xenapi_core::get_record(&reference)).await.ok()?;
        if record.error_info.is_empty() {
            return None;
        }
        task.ended(label, &mut |_| ()).await.err()
    }

    /// Where another host was named that can do it.
    async fn sent_on(&self, label: &str, headers: &HeaderMap) -> Result<(Transport, String), Error> {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
        let place = Location::parse(location).ok_or_else(|| {
            let why = format!("it names another host that cannot be understood: {location:?}");
            self.error(label, ErrorKind::Unusable(why))
        })?;
        Ok((self.host_at(place.host, place.port).await?, place.path.to_owned()))
    }

    /// Exports into a writer; answers how many bytes. `on_progress` hears from 0 to 1 how far the server is.
    ///
    /// # Errors
    /// When the server refuses, breaks off or fails, or the writer does.
    pub async fn export_to(
        &self,
        export: &Export,
        to: &mut (impl AsyncWrite + Unpin),
        mut on_progress: impl FnMut(f64),
    ) -> Result<u64, Error> {
        let mut download = self.export(export).await?;
        let mut length = 0;
        while let Some(piece) = download.next_piece().await? {
            let wrong = |error: io::Error| self.error(&download.label, ErrorKind::Local(format!("cannot write: {error}")));
            to.write_all(&piece).await.map_err(wrong)?;
            length += piece.len() as u64;
        }
        to.flush().await.map_err(|error| self.error(&download.label, ErrorKind::Local(format!("cannot write: {error}"))))?;
        download.end(&mut on_progress).await?;
        Ok(length)
    }

    /// Imports what `from` holds, and answers the VMs that were made. `length` is how many bytes that is, if it is known: a raw disk that ends
    /// early is an error then. `on_progress` hears from 0 to 1 how far the server is.
    ///
    /// # Errors
    /// When the server refuses, fails or does not answer, or `from` cannot be read.
    pub async fn import(
        &self,
        import: &Import,
        from: &mut (impl AsyncRead + Unpin),
        length: Option<u64>,
        mut on_progress: impl FnMut(f64),
    ) -> Result<Vec<Ref<VM>>, Error> {
        let label = format!("PUT {}", import.path);
        let mut task = TransferTask::new(self, &label).await?;
        let reference = task.watched.as_ref().map(|watched| watched.task.clone()).unwrap_or_default();
        let path = path_of(import.path, &import.query, &reference);
        let (mut connection, head) = match self.begin_upload(&label, path, length).await {
            Ok(begun) => begun,
            Err(error) => return Err(self.reason(&label, &mut task).await.unwrap_or(error)),
        };
        let sent = {
            let progress = self.tell_progress(&reference, &mut on_progress);
            tokio::select! {
                sent = self.send_body(&label, &mut connection, from, length) => sent,
                never = progress => match never {},
            }
        };
        let answered = match (sent, head) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(head)) => Ok((connection, head)),
            (Ok(()), None) => match connection.head(self.config().change_timeout).await {
                Ok(head) => Ok((connection, head)),
                Err(error) => Err(self.failed(&label, error)),
            },
        };
        // The connection is kept until the server is done: closing it could take back what it has not read.
        let _open = match answered {
            Ok((connection, head)) if head.status == StatusCode::OK => connection,
            Ok((connection, head)) => {
                let error = self.failed(&label, connection.refused(&head).await);
                return Err(self.reason(&label, &mut task).await.unwrap_or(error));
            }
            Err(error) => return Err(self.reason(&label, &mut task).await.unwrap_or(error)),
        };
        let record = task.ended(&label, &mut on_progress).await?;
        if !import.makes_vms {
            return Ok(Vec::new());
        }
        let vms = read_task_result(&record.result, Vec::<Ref<VM>>::read);
        vms.map_err(|error| self.error(&label, ErrorKind::Unreadable(error)))
    }

    /// Sends the head of an upload to the host that takes it. With the answer, if that came before the body.
    async fn begin_upload(
        &self,
        label: &str,
        mut path: String,
        length: Option<u64>,
    ) -> Result<(Connection, Option<Head>), Error> {
        let mut transport = self.transport().clone();
        // xapi knows no chunks. Without a length it reads up to the end of the connection.
        let length = length.map(|length| (CONTENT_LENGTH, HeaderValue::from(length)));
        let kind = (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let headers: Vec<(HeaderName, HeaderValue)> = length.into_iter().chain([kind]).chain(self.cookie()).collect();
        for _ in 0..MOST_HOSTS {
            let begun = Connection::begin(&transport, &Method::PUT, &path, &headers).await;
            let mut connection = begun.map_err(|error| self.failed(label, error))?;
            let head = match connection.head(FIRST_WORD).await {
                Ok(head) => head,
                Err(error) if error.is_timeout() => return Ok((connection, None)),
                Err(error) => return Err(self.failed(label, error)),
            };
            match head.status {
                StatusCode::OK => return Ok((connection, Some(head))),
                StatusCode::FOUND => (transport, path) = self.sent_on(label, &head.headers).await?,
                _ => return Err(self.failed(label, connection.refused(&head).await)),
            }
        }
        Err(self.error(label, ErrorKind::Unusable("the hosts send on to one another".into())))
    }

    async fn send_body(
        &self,
        label: &str,
        connection: &mut Connection,
        from: &mut (impl AsyncRead + Unpin),
        length: Option<u64>,
    ) -> Result<(), Error> {
        let broken = |error: io::Error| {
            self.failed(label, TransportError::new(self.target(), TransportErrorKind::Broken(error.to_string())))
        };
        let local = |why: String| self.error(label, ErrorKind::Local(why));
        let mut piece = vec![0; PIECE];
        let mut left = length;
        loop {
            let room = left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
            if room == 0 {
                break;
            }
            let read = from.read(&mut piece[..room]).await;
            let read = read.map_err(|error| local(format!("cannot read what is to be sent: {error}")))?;
            if read == 0 {
                if let Some(left) = left {
                    return Err(local(format!("what is to be sent ended {left} bytes before its length")));
                }
                break;
            }
            connection.stream().write_all(&piece[..read]).await.map_err(broken)?;
            left = left.map(|left| left - read as u64);
        }
        connection.stream().flush().await.map_err(broken)?;
        if length.is_none() {
            connection.stream().shutdown().await.map_err(broken)?;
        }
        Ok(())
    }

    /// Tells how far a task is until it is given up.
    async fn tell_progress(&self, task: &Ref<Task>, on_progress: &mut impl FnMut(f64)) -> core::convert::Infallible {
        let mut told = None;
        loop {
            tokio::time::sleep(self.config().poll_interval).await;
            // It only tells; what goes wrong shows elsewhere.
            if let Ok(progress) = self.call(task::fields::PROGRESS.get(task)).await
                && told.replace(progress) != Some(progress)
            {
                on_progress(progress);
            }
        }
    }
}

/// An export as it comes.
pub struct Download {
    body: ReplyBody,
    piece: Bytes,
    ended: bool,
    task: TransferTask,
    label: String,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("what", &self.label).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Download {
    /// The task that shows how far it is.
    pub fn task(&self) -> Option<&Ref<Task>> {
        self.task.watched.as_ref().map(|watched| &watched.task)
    }

    /// The next bytes, as they came; `None` at the end of the stream.
    ///
    /// # Errors
    /// When the stream breaks off, with the server's reason if it tells one.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = core::future::poll_fn(|context| self.poll_piece(context)).await;
        match (piece, self.task.watched.as_ref().map(|watched| watched.client.clone())) {
            (Ok(piece), _) => Ok(piece),
            (Err(error), Some(client)) => {
                let reason = client.reason(&self.label, &mut self.task).await;
                Err(reason.unwrap_or_else(|| client.failed(&self.label, error)))
            }
            (Err(error), None) => Err(Error::new(&self.label, error.target(), ErrorKind::Transport(error.clone()))),
        }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, TransportError>> {
        if !self.piece.is_empty() {
            return Poll::Ready(Ok(Some(core::mem::take(&mut self.piece))));
        }
        while !self.ended {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => self.ended = true,
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    _ => {}
                },
            }
        }
        Poll::Ready(Ok(None))
    }

    /// Waits for the server to say that all was sent. Only then the export is whole.
    ///
    /// # Errors
    /// When the server failed on the way, or the stream was not read to its end.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.end(&mut |_| ()).await
    }

    async fn end(&mut self, on_progress: &mut impl FnMut(f64)) -> Result<(), Error> {
        if let (false, Some(watched)) = (self.ended, &self.task.watched) {
            let why = "the export was not read to its end".to_owned();
            return Err(watched.client.error(&self.label, ErrorKind::Local(why)));
        }
        self.task.ended(&self.label, on_progress).await.map(drop)
    }
}

impl AsyncRead for Download {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let piece = ready!(self.poll_piece(context)).map_err(io::Error::other)?;
        if let Some(mut piece) = piece {
            let length = piece.len().min(buffer.remaining());
            buffer.put_slice(&piece[..length]);
            piece.advance(length);
            self.piece = piece;
        }
        Poll::Ready(Ok(()))
    }
}
