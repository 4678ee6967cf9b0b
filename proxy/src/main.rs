//! The command `xenoxide`. Everything is in the library.

fn main() -> std::process::ExitCode {
    xenoxide::run(std::env::args_os())
}
