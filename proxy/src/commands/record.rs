//! `xenoxide record`: all objects of a pool, as the server sends them.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{ClassDesc, Failure, Method, ReadError, Reader};
use xenapi_model::errors;

use super::connection::{Connection, explain, refused};
use crate::cli::{Exit, Record, exit};
use crate::output::{self, Progress};

/// Runs the command.
pub(super) async fn run(args: &Record) -> Result<(), Exit> {
    let classes = choose(&args.classes)?;
    check_folder(args, &classes)?;
    let recorded = Connection::within(&args.connection, async |connection| record(connection, args, &classes).await).await?;
    let objects: usize = recorded.iter().map(|(_, count)| count).sum();
    let files = recorded.len();
    if args.json {
        let classes: Map<String, Json> =
            recorded.iter().map(|(class, count)| (class.name.into(), (*count).into())).collect();
        let folder = args.out.display().to_string();
        return output::line(&json!({"folder": folder, "files": files, "objects": objects, "classes": classes}).to_string());
    }
    output::line(&format!("{files} classes with {objects} objects recorded in {}", args.out.display()))
}

/// The classes that are asked for; by default all but secrets, whose records are passwords.
fn choose(names: &[String]) -> Result<Vec<&'static ClassDesc>, Exit> {
    let has_records = |class: &&'static ClassDesc| Method::find(class, "get_all_records").is_some();
    if names.is_empty() {
        return Ok(xenapi_model::CLASSES.iter().copied().filter(|class| !class.secret).filter(has_records).collect());
    }
    let chosen = names.iter().map(|name| {
        xenapi_model::class(name).filter(has_records).ok_or_else(|| {
            Exit::usage(format!("there is no class {name:?} with objects to record; `xenoxide schema` lists the classes"))
        })
    });
    chosen.collect()
}

fn file(folder: &Path, class: &ClassDesc) -> PathBuf {
    folder.join(format!("{}.get_all_records.xml", class.name))
}

/// Nobody's recording is overwritten by accident, and no pool is asked for what cannot be written.
fn check_folder(args: &Record, classes: &[&ClassDesc]) -> Result<(), Exit> {
    let folder = args.out.display();
    fs::create_dir_all(&args.out).map_err(|error| Exit::failure(format!("the folder {folder}: {error}")))?;
    match classes.iter().map(|class| file(&args.out, class)).find(|path| path.exists()) {
        Some(path) if !args.force => Err(Exit::failure(format!(
            "{} is there already; choose another folder, or give --force to replace it",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// A class, and how many objects of it were recorded.
type Recorded = (&'static ClassDesc, usize);

async fn record(connection: &Connection, args: &Record, classes: &[&'static ClassDesc]) -> Result<Vec<Recorded>, Exit> {
    let mut recorded = Vec::with_capacity(classes.len());
    let mut progress = Progress::new(args.progress, "record");
    for (at, class) in classes.iter().enumerate() {
        progress.step(at, classes.len(), class.name);
        let method = format!("{}.get_all_records", class.name);
        let bytes = connection.fetch(&method).await?;
        let count = match xmlrpc::read_result(&bytes, &Limits::reply(), count) {
            Ok(Ok(count)) => count,
            Ok(Err(failure)) if failure.code == errors::SESSION_INVALID => {
                return Err(refused(connection.client().target(), &method, &failure));
            }
            Ok(Err(failure)) if is_unknown(&failure) => {
                progress.say(&format!("note: the server does not know {}", class.name));
                continue;
            }
            Ok(Err(failure)) => {
                progress.say(&format!("note: {} is left out: {}", class.name, explain(&failure)));
                continue;
            }
            Err(error) => {
                progress.say(&format!("note: {} is left out: its answer cannot be read: {error}", class.name));
                continue;
            }
        };
        let path = file(&args.out, class);
        write(&path, &bytes).map_err(|error| Exit::failure(format!("cannot write {}: {error}", path.display())))?;
        recorded.push((*class, count));
    }
    progress.step(1, 1, "record");
    if recorded.is_empty() {
        let target = connection.client().target();
        return Err(Exit::new(
            exit::REFUSED,
            format!("{target} let none of the classes be recorded; a user with a higher role may do it"),
        ));
    }
    Ok(recorded)
}

/// Whether a server that refuses so does not know the message at all.
fn is_unknown(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), errors::MESSAGE_METHOD_UNKNOWN | errors::MESSAGE_REMOVED)
}

/// Counts the objects, so that what is written is known to be records.
fn count(reader: &mut dyn Reader) -> Result<usize, ReadError> {
    reader.begin_struct()?;
    let mut count = 0;
    while reader.next_member()?.is_some() {
        reader.skip()?;
        count += 1;
    }
    Ok(count)
}

/// Writes beside the file and renames, so that there is never half of it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let mut file = fs::File::create(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn secrets_are_recorded_only_when_asked_for() {
        let all: Vec<&str> = choose(&[]).unwrap().iter().map(|class| class.name).collect();
        assert!(all.contains(&"VM") && all.contains(&"message") && !all.contains(&"secret") && !all.contains(&"session"));
        assert_eq!(choose(&["secret".into()]).unwrap().len(), 1);
        assert_eq!(choose(&["vm".into()]).unwrap_err().code, 2);
    }

    #[test]
    fn a_file_is_written_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("VM.get_all_records.xml");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
