//! Measurements that other programs make: memory, instructions, and the parsers of Python and Node.js.

use std::path::{Path, PathBuf};
use std::process::Command;

use xenapi_corpus::{Content, Order};

use crate::document::Document;
use crate::subject::{Subject, find};

/// The subject and the document that `KEY CONTENT COUNT` name.
///
/// # Errors
/// What is wrong with the arguments.
pub fn asked(args: &[String], order: Order) -> Result<(Subject, Document), String> {
    let [key, content, count, ..] = args else { return Err("usage: KEY CONTENT COUNT".into()) };
    let subject = find(key).ok_or_else(|| format!("there is no subject `{key}`"))?;
    let content =
        Content::ALL.into_iter().find(|it| it.name() == content).ok_or_else(|| format!("there are no `{content}`"))?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number"))?;
    Ok((subject, Document::new(content, count, order)))
}

/// Memory of one run: the most bytes for each byte of the document, and allocations for each object.
///
/// # Errors
/// When the program cannot be run, or says that the subject fails.
pub fn heap(program: &Path, subject: &Subject, document: &Document) -> Result<(f64, f64), String> {
    let text = run(Command::new(program).args([subject.key, document.content.name(), &document.count.to_string()]))?;
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [most, blocks, bytes] = numbers[..] else { return Err(format!("it printed {text:?}")) };
    #[expect(clippy::cast_precision_loss, reason = "documents do not hold that many")]
    let count = document.count as f64;
    Ok((most / bytes, blocks / count))
}

/// Instructions for each byte, by callgrind: the difference between many runs and few, so that what happens before counts for
/// nothing. `program ARGUMENTS KEY CONTENT COUNT RUNS` must do the runs.
///
/// # Errors
/// When valgrind is not here, or the program fails under it.
pub fn instructions(program: &Path, subject: &Subject, document: &Document, bytes: usize) -> Result<f64, String> {
    const FEW: u32 = 1;
    const MANY: u32 = 4;
    let count = |runs: u32| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).arg("--run");
        command.args([subject.key, document.content.name(), &document.count.to_string(), &runs.to_string()]);
        let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse::<f64>().ok());
        collected.ok_or(text)
    };
    let difference = count(MANY)? - count(FEW)?;
    #[expect(clippy::cast_precision_loss, reason = "documents are not that long")]
    let bytes = bytes as f64;
    Ok(difference / f64::from(MANY - FEW) / bytes)
}

/// A parser of another language.
#[derive(Debug)]
pub struct Foreign {
    /// Its name in the table.
    pub name: String,
    /// Whether it reads the XML or the JSON.
    pub xml: bool,
    /// Nanoseconds of one run: the median.
    pub time: f64,
}

/// Lets Python and Node.js read the documents in a folder, where they are installed; notes tell what was not measured.
pub fn foreign(folder: &Path) -> (Vec<Foreign>, Vec<String>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = here.with_file_name("tests").join("node/node_modules");
    let mut python = Command::new(std::env::var_os("XENOXIDE_PYTHON").unwrap_or_else(|| "python3".into()));
    python.arg(here.join("outside/decode.py")).arg(folder);
    let mut node = Command::new(std::env::var_os("XENOXIDE_NODE").unwrap_or_else(|| "node".into()));
    node.arg(here.join("outside/decode.mjs")).arg(folder).arg(modules);
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for (language, mut command) in [("Python", python), ("Node.js", node)] {
        match run(&mut command) {
            Ok(text) => {
                for line in text.lines() {
                    match line.split('\t').collect::<Vec<_>>()[..] {
                        [name, kind, time] => rows.push(Foreign {
                            name: format!("{language}: {name}"),
                            xml: kind == "xml",
                            time: time.parse().unwrap_or(f64::NAN),
                        }),
                        _ => notes.push(format!("{language}: {line}")),
                    }
                }
            }
            Err(error) => {
                notes.push(format!("{language} was not measured: {}", error.lines().last().unwrap_or("no reason")))
            }
        }
    }
    (rows, notes)
}

/// Writes a document's XML and JSON into a folder, where others can read them.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(document: &Document, folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("reply.xml"), document.xml())?;
    std::fs::write(folder.join("reply.json"), document.json())?;
    Ok(folder.to_path_buf())
}

fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().display().to_string();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
