//! Where a pool is, who asks, and which certificate it may show.

use std::path::PathBuf;

use clap::Args;
use xenapi_hyper::Fingerprint;

use super::Place;

const LOGIN: &str = "Login";

const CERTIFICATE: &str = "Certificate";

/// Where a pool is, and who asks.
#[derive(Args, Debug)]
pub struct Connection {
    /// The pool.
    #[arg(
        value_name = "TARGET",
        help = "https://HOST[:PORT], http://HOST[:PORT], unix:PATH, records:DIR, or database:FILE"
    )]
    pub target: Place,
    /// Who asks.
    #[command(flatten)]
    pub who: Who,
    /// Which certificate the server may show.
    #[command(flatten)]
    pub trusted: Trusted,
}

/// Who asks.
#[derive(Args, Clone, Default, Debug)]
pub struct Who {
    /// The user [default: $XENOXIDE_USER, or root]
    #[arg(long, value_name = "NAME", help_heading = LOGIN)]
    pub user: Option<String>,
    /// A file whose first line is the password; `-` reads standard input [default: $XENOXIDE_PASSWORD, or a question on the terminal]
    #[arg(long, value_name = "FILE", help_heading = LOGIN)]
    pub password_file: Option<PathBuf>,
}

/// Which certificate a server may show.
#[derive(Args, Clone, Default, Debug)]
pub struct Trusted {
    /// The SHA-256 of the server's certificate: that one and no other [default: what `xenoxide trust` remembers, or the system vouches for]
    #[arg(long, value_name = "SHA256", help_heading = CERTIFICATE, group = "trusted")]
    pub fingerprint: Option<Fingerprint>,
    /// A file of root certificates in PEM, such as a company's own: what they vouch for, and not what the system's do
    #[arg(long, value_name = "FILE", help_heading = CERTIFICATE, group = "trusted")]
    pub ca_file: Option<PathBuf>,
    /// Remember the certificate of a server that is not known yet, and trust it from then on
    #[arg(long, help_heading = CERTIFICATE, group = "trusted")]
    pub trust_on_first_use: bool,
}
