//! Finding the database inside of what people have: compressed, or in the archive of a support bundle.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::io::{self, Cursor, Read};

/// What a bundle may unpack to, in bytes. Databases of large pools have some tens of MiB; bundles hold gigabytes of logs beside.
const MOST: u64 = 8 << 30;
/// What one database may have.
const MOST_OF_DATABASE: u64 = 1 << 30;
/// Archives inside of archives.
const DEPTH: usize = 4;

/// The database, unpacked from as many layers as there are. What is no archive is answered as it is.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match kind_of(bytes) {
        None => Ok(Cow::Borrowed(bytes)),
        Some(kind) => open(kind, bytes, 1).map(Cow::Owned),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Gzip,
    Bzip2,
    Zip,
    Tar,
}

fn kind_of(bytes: &[u8]) -> Option<Kind> {
    match bytes {
        [0x1f, 0x8b, ..] => Some(Kind::Gzip),
        [b'B', b'Z', b'h', ..] => Some(Kind::Bzip2),
        [b'P', b'K', 3, 4, ..] => Some(Kind::Zip),
        _ if bytes.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => None,
    }
}

fn open(kind: Kind, bytes: &[u8], depth: usize) -> Result<Vec<u8>, String> {
    if depth > DEPTH {
        return Err(format!("more than {DEPTH} archives are inside each other"));
    }
    match kind {
        Kind::Gzip => decompressed("gzip", flate2::read::MultiGzDecoder::new(bytes), depth),
        Kind::Bzip2 => decompressed("bzip2", bzip2::read::MultiBzDecoder::new(bytes), depth),
        Kind::Zip => from_zip(bytes, depth),
        Kind::Tar => from_tar(bytes, depth),
    }
}

/// A compressed file holds a database, or an archive, which is read on the way and never held whole.
fn decompressed(name: &str, reader: impl Read, depth: usize) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("the {name} data is broken: {error}");
    let mut reader = reader.take(MOST);
    let mut start = Vec::new();
    reader.by_ref().take(512).read_to_end(&mut start).map_err(failed)?;
    match kind_of(&start) {
        Some(Kind::Tar) => from_tar(Cursor::new(start).chain(reader), depth + 1),
        inner => {
            let bytes = whole(Cursor::new(start).chain(reader)).map_err(failed)?;
            match inner {
                Some(kind) => open(kind, &bytes, depth + 1),
                None => Ok(bytes),
            }
        }
    }
}

fn whole(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(MOST_OF_DATABASE + 1).read_to_end(&mut bytes)?;
    if read as u64 > MOST_OF_DATABASE {
        return Err(io::Error::other(format!("the database has more than {MOST_OF_DATABASE} bytes")));
    }
    Ok(bytes)
}

/// Whether a file of a bundle is the database, by its name.
fn is_database(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let name = [".gz", ".bz2"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    matches!(name, "xapi-db.xml" | "xapi_db.xml" | "state.db")
}

const ABSENT: &str = "the archive holds no file xapi-db.xml";

fn from_tar(reader: impl Read, depth: usize) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("the tar archive is broken: {error}");
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_file() && is_database(&path) {
            return inner(entry, &path, depth);
        }
    }
    Err(ABSENT.into())
}

fn from_zip(bytes: &[u8], depth: usize) -> Result<Vec<u8>, String> {
    let failed = |error: zip::result::ZipError| format!("the zip archive is broken: {error}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(failed)?;
    let path = archive.file_names().flatten().find(|name| is_database(name)).map(|name| name.into_owned());
    let path = path.ok_or(ABSENT)?;
    let entry = archive.by_name(&path).map_err(failed)?;
    inner(entry, &path, depth)
}

fn inner(entry: impl Read, path: &str, depth: usize) -> Result<Vec<u8>, String> {
    let bytes = whole(entry).map_err(|error| format!("{path}: {error}"))?;
    match kind_of(&bytes) {
        None => Ok(bytes),
        Some(kind) => open(kind, &bytes, depth + 1).map_err(|error| format!("{path}: {error}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    const DATABASE: &[u8] = b"<database/>";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in files {
            writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_database_is_found_in_every_wrapping() {
        let bundle = tar(&[("bug-report/messages", b"logs"), ("bug-report/xapi-db.xml", DATABASE)]);
        let packed = gzip(DATABASE);
        for bytes in [
            DATABASE.to_vec(),
            packed.clone(),
            bzip(DATABASE),
            bundle.clone(),
            gzip(&bundle),
            bzip(&bundle),
            gzip(&tar(&[("a/xapi-db.xml.gz", &packed)])),
            zip(&[("logs/x", b"x"), ("report/xapi-db.xml", DATABASE)]),
            gzip(&gzip(&bundle)),
        ] {
            assert_eq!(unpack(&bytes).unwrap(), DATABASE);
        }
    }

    #[test]
    fn what_holds_no_database_is_told() {
        assert_eq!(unpack(&tar(&[("messages", b"logs")])).unwrap_err(), ABSENT);
        assert_eq!(unpack(&zip(&[("messages", b"logs")])).unwrap_err(), ABSENT);
        let packed = gzip(DATABASE);
        let error = unpack(&packed[..packed.len() - 9]).unwrap_err();
        assert!(error.starts_with("the gzip data is broken"), "{error}");
        let deep = (0..DEPTH + 1).fold(DATABASE.to_vec(), |bytes, _| gzip(&bytes));
        assert!(unpack(&deep).unwrap_err().contains("inside each other"));
    }
}
