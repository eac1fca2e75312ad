//! `keystead init`

use std::path::{Path, PathBuf};

use clap::Args;

use super::accounts::Workplace;
use super::{CliError, certificates, complain_of_access, example, files, open_store, output};
use crate::config::Config;
use crate::directory::{Dn, Schema, ldif};
use crate::operations::add;
use crate::password::{Secret, generate};
use crate::protocol::request::AddRequest;
use crate::server::random::SystemRandom;
use crate::store::Existence;

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder to make: configuration, store and generated passwords will be in it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The name below which entries are kept, such as dc=example,dc=com.
    #[arg(long, value_name = "DN")]
    suffix: String,
    /// A file that holds the administrator's password; otherwise one is generated.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// Add a few people, a helpdesk and a service account to try things with.
    #[arg(long)]
    example: bool,
    /// Leave the directory without entries, for an import of another server's.
    #[arg(long, conflicts_with_all = ["example", "admin_password_file"])]
    empty: bool,
    /// Where to listen; several are possible.
    #[arg(long, value_name = "URL", default_values = ["ldap://127.0.0.1:389", "ldaps://127.0.0.1:636", "ldapi://ldapi"])]
    listen: Vec<String>,
    /// Where the certificates for development are, or are to be made.
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
}

const PASSWORD_LENGTH: usize = 23;

pub(super) fn run(args: &InitArgs) -> Result<(), CliError> {
    let config_path = args.data.join("keystead.toml");
    if config_path.exists() {
        return Err(CliError::Message(format!(
            "{} exists already; nothing was changed. Choose another folder, or serve what is there",
            config_path.display()
        )));
    }
    check_suffix(&args.suffix)?;
    let existed = args.data.exists();
    files::make_private_folder(&args.data)?;
    let made = make(args, &config_path);
    if made.is_err() {
        // What was begun must not be in the way of the next try.
        let _ = std::fs::remove_file(&config_path);
        let _ = std::fs::remove_dir_all(args.data.join("db"));
        if !existed {
            let _ = std::fs::remove_dir_all(&args.data);
        }
    }
    made
}

fn check_suffix(suffix: &str) -> Result<(), CliError> {
    match Dn::parse(&Schema::standard(), suffix) {
        Ok(dn) if !dn.is_root() => suffix_entry(suffix).map(drop),
        Ok(_) => Err(CliError::Message("the suffix is empty; use one such as dc=example,dc=com".to_owned())),
        Err(error) => Err(CliError::Message(format!("the suffix {suffix:?}: {error}"))),
    }
}

fn make(args: &InitArgs, config_path: &Path) -> Result<(), CliError> {
    let certificates = match &args.certificates {
        Some(folder) => absolute(folder)?,
        None => absolute(&args.data)?.join("tls"),
    };
    certificates::make(&certificates)?;
    files::write_private(config_path, config_text(args, &certificates).as_bytes())?;
    let config = Config::read(config_path)?;
    let store = open_store(&config, Existence::Forbidden)?;
    complain_of_access(&config);
    if args.empty {
        tell_empty(args, config_path);
        return Ok(());
    }
    let workplace = Workplace::new(&store, &config)?;
    let admin = match &args.admin_password_file {
        Some(path) => files::read_secret(path)?,
        None => generate::password(PASSWORD_LENGTH, &SystemRandom),
    };
    let mut passwords = Vec::new();
    add_all(&workplace, &suffix_entry(&args.suffix)?, &mut || admin.clone(), &mut Vec::new())?;
    add_all(&workplace, &example::skeleton(&args.suffix), &mut || admin.clone(), &mut Vec::new())?;
    if args.example {
        let mut generated = || generate::password(PASSWORD_LENGTH, &SystemRandom);
        add_all(&workplace, &example::people(&args.suffix), &mut generated, &mut passwords)?;
        files::write_private(&args.data.join("example-passwords"), &passwords)?;
    } else {
        add_all(&workplace, &example::helpdesk(&args.suffix), &mut || admin.clone(), &mut Vec::new())?;
    }
    let password_file = args.data.join("admin-password");
    if args.admin_password_file.is_none() {
        // Without a line break, as ldapsearch -y wants it.
        files::write_private(&password_file, admin.expose())?;
    }
    tell(args, config_path, &password_file);
    Ok(())
}

fn tell(args: &InitArgs, config_path: &Path, password_file: &Path) {
    output::say(&format!("Made the directory {} in {}.", args.suffix, args.data.display()));
    output::say(&format!("Administrator: cn=admin,{}", args.suffix));
    if args.admin_password_file.is_none() {
        output::say(&format!("Its password:  in {}", password_file.display()));
    }
    output::say(&format!("Now run:       keystead serve --config {}", config_path.display()));
}

fn tell_empty(args: &InitArgs, config_path: &Path) {
    let (suffix, config) = (&args.suffix, config_path.display());
    output::say(&format!("Made the directory {suffix} in {}; it has no entries yet.", args.data.display()));
    output::say(&format!("Now run:       keystead import --config {config} FILE.ldif"));
    output::say(&format!(
        "Administrators are the members of cn=administrators,ou=groups,{suffix}; until there are some, the superuser of \
         this machine is one, over ldapi:// (ldapmodify -Y EXTERNAL)."
    ));
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|cause| CliError::File { path: path.to_owned(), cause })
}

/// Adds the entries of some LDIF. `@password@` stands for a password, which is noted beside the name.
fn add_all(
    workplace: &Workplace<'_>,
    text: &str,
    password: &mut dyn FnMut() -> Secret,
    noted: &mut Vec<u8>,
) -> Result<(), CliError> {
    for record in ldif::Reader::new(text.as_bytes()) {
        let record = record.map_err(|error| CliError::Message(error.to_string()))?;
        let mut attributes: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
        for (name, value) in record.attributes() {
            let value = if value == b"@password@" {
                let secret = password();
                noted.extend([record.dn.as_bytes(), b"\t", secret.expose(), b"\n"].concat());
                secret.expose().to_vec()
            } else {
                value.clone()
            };
            attributes.push((name.clone(), vec![value]));
        }
        let request = AddRequest { entry: record.dn.clone(), attributes };
        workplace.perform(&record.dn, |ctx| add::add(ctx, &request))?;
    }
    Ok(())
}

/// The entry of the suffix itself, of the class that its name asks for.
fn suffix_entry(suffix: &str) -> Result<String, CliError> {
    let (name, value) = suffix.split(',').next().and_then(|rdn| rdn.split_once('=')).unwrap_or_default();
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let classes = match name.as_str() {
        "dc" => format!("objectClass: organization\nobjectClass: dcObject\no: {value}\ndc: {value}\n"),
        "o" => format!("objectClass: organization\no: {value}\n"),
        "ou" => format!("objectClass: organizationalUnit\nou: {value}\n"),
        "c" => format!("objectClass: country\nc: {value}\n"),
        _ => {
            return Err(CliError::Message(format!(
                "the suffix {suffix:?} must begin with dc=, o=, ou= or c=, as dc=example,dc=com does"
            )));
        }
    };
    Ok(format!("dn: {suffix}\n{classes}\n"))
}

fn config_text(args: &InitArgs, certificates: &Path) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let listen: Vec<String> =
        args.listen.iter().map(|url| ["[[listen]]\nurl = ", &quoted(url), "\n\n"].concat()).collect();
    let file = |name: &str| quoted(&certificates.join(name).to_string_lossy());
    format!(
        "# Keystead's configuration. `keystead check --config FILE` tells every mistake; a running server reads it again\n\
         # when it gets SIGHUP. Relative paths begin in the folder of this file.\n\n\
         [directory]\nsuffix = {}\ndata = \"db\"\n\n\
         # Over ldap:// no password is taken before StartTLS.\n{}\
         # The files are watched: a renewed certificate is used without a restart.\n\
         [tls]\ncertificate = {}\nprivate_key = {}\n\n\
         [log]\nlevel = \"info\"      # off, error, warn, info, debug, trace\nformat = \"text\"     # or json\n\n{}",
        quoted(&args.suffix),
        listen.concat(),
        file("server.crt"),
        file("server.key"),
        example::rules(&args.suffix),
    )
}
