//! `keystead token`: a secret for the second factor of somebody, as an app and as the directory are to have it.

use clap::{Args, ValueEnum};

use super::{CliError, output};
use crate::directory::{Dn, Randomness, Rdn, Schema, ldif};
use crate::password::Secret;
use crate::password::one_time_password::{Algorithm, DIGITS};
use crate::password::otpauth::{Enrolment, base32};
use crate::password::second_factor::Kind;
use crate::server::random::SystemRandom;

/// Octets of a new secret: as many as SHA-1 makes, which is what RFC 4226 §4 recommends.
const OCTETS: usize = 20;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// Whose token it is, as an app shows it.
    #[arg(long, value_name = "NAME")]
    account: String,
    /// Who issues it, as an app shows it.
    #[arg(long, value_name = "NAME", default_value = "")]
    issuer: String,
    /// The entry that the token is to be: it is written as LDIF, to be added.
    #[arg(long, value_name = "DN", requires = "params")]
    token: Option<String>,
    /// The entry with the parameters of the token, which say the same as the options below.
    #[arg(long, value_name = "DN", requires = "token")]
    params: Option<String>,
    /// What codes go by.
    #[arg(long, value_enum, default_value = "totp")]
    kind: KindArg,
    /// By what codes are made. Many apps know SHA-1 only.
    #[arg(long, value_enum, default_value = "sha1")]
    algorithm: AlgorithmArg,
    /// Digits of a code: 6 to 8.
    #[arg(long, value_name = "N", default_value_t = 6)]
    digits: u32,
    /// Seconds of a time step.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    period: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    /// Time (RFC 6238).
    Totp,
    /// Use (RFC 4226).
    Hotp,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AlgorithmArg {
    Sha1,
    Sha256,
    Sha512,
}

pub(super) fn run(args: &TokenArgs) -> Result<(), CliError> {
    if !DIGITS.contains(&args.digits) {
        return Err(CliError::Message(format!("--digits must be from {} to {}", DIGITS.start(), DIGITS.end())));
    }
    let named = args.token.as_deref().map(read_name).transpose()?;
    let mut octets = zeroize::Zeroizing::new([0; OCTETS]);
    SystemRandom.fill(octets.as_mut_slice());
    let secret = Secret::new(octets.as_slice());
    let url = enrolment(args, &secret).url();
    output::say(&format!("# For the app, once: {}", *url));
    output::say(&format!("# The same to be typed: {}", *base32(&secret)));
    let record = named.map_or_else(|| attribute(&secret), |rdn| record(args, &rdn, &secret));
    output::say(String::from_utf8_lossy(&record).trim_end());
    Ok(())
}

fn enrolment<'e>(args: &'e TokenArgs, secret: &'e Secret) -> Enrolment<'e> {
    let algorithm = match args.algorithm {
        AlgorithmArg::Sha1 => Algorithm::Sha1,
        AlgorithmArg::Sha256 => Algorithm::Sha256,
        AlgorithmArg::Sha512 => Algorithm::Sha512,
    };
    let TokenArgs { issuer, account, digits, period, .. } = args;
    Enrolment { kind: kind(args), issuer, account, secret, algorithm, digits: *digits, period: *period }
}

const fn kind(args: &TokenArgs) -> Kind {
    match args.kind {
        KindArg::Totp => Kind::Totp,
        KindArg::Hotp => Kind::Hotp,
    }
}

/// The value that names the token, by `cn`.
fn read_name(dn: &str) -> Result<String, CliError> {
    let schema = Schema::standard();
    let bad = || CliError::Message(format!("--token: {dn:?} must be a name that begins with cn="));
    let dn = Dn::parse(&schema, dn).map_err(|_| bad())?;
    let (first, _) = dn.rdns().next().ok_or_else(bad)?;
    let rdn = Rdn::parse(&schema, first).map_err(|_| bad())?;
    let mut assertions = rdn.assertions().iter();
    match (assertions.next(), assertions.next()) {
        (Some((description, value)), None) if description.attribute_type == schema.known().cn => {
            String::from_utf8(value.clone()).map_err(|_| bad())
        }
        _ => Err(bad()),
    }
}

fn attribute(secret: &Secret) -> Vec<u8> {
    let mut out = Vec::new();
    ldif::write_attribute(&mut out, "oathSecret", secret.expose());
    out
}

/// The entry of the token.
fn record(args: &TokenArgs, cn: &str, secret: &Secret) -> Vec<u8> {
    let (class, params) = match kind(args) {
        Kind::Totp => ("oathTOTPToken", "oathTOTPParams"),
        Kind::Hotp => ("oathHOTPToken", "oathHOTPParams"),
    };
    let mut out = Vec::new();
    ldif::write_dn(&mut out, args.token.as_deref().unwrap_or_default());
    for (name, value) in [("objectClass", "device"), ("objectClass", class), ("cn", cn)] {
        ldif::write_attribute(&mut out, name, value.as_bytes());
    }
    ldif::write_attribute(&mut out, params, args.params.as_deref().unwrap_or_default().as_bytes());
    out.extend(attribute(secret));
    out
}
