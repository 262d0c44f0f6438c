//! The command line: commands and their arguments. What they do stands in `command/`, one file each.

pub(crate) mod apps;
pub(crate) mod labels;
pub(crate) mod operation;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod reminders;
pub(crate) mod review;

use crate::settings::flags::Flags;
use crate::settings::table::HOLDERS;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Plummer keeps the record of a clinic.
#[derive(Debug, Parser)]
#[command(name = "plummer", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) flags: Flags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the FHIR API
    Serve(Serve),
    /// Load resources from files, folders and archives
    Import(Import),
    /// Write all resources as NDJSON, one file per type
    Export(Export),
    /// Make a synthetic clinic
    Generate(Generate),
    /// Copy everything to a new folder, also while the server runs
    Backup(Backup),
    /// Put a backup back into an empty data folder
    Restore(Restore),
    /// Add, change and shut out the people who may sign in
    User(people::User),
    /// Show the roles and what they permit
    Role(people::Role),
    /// Check, show and compare the policies of the site, and say why they decide as they do
    Policy(policy::Policy),
    /// Add and shut out programs and machines
    Client(people::Client),
    /// Register and shut out SMART apps and backend services
    App(apps::App),
    /// Issue and revoke tokens for scripts
    Token(people::Token),
    /// Make the first administrator with the code of the first start
    Claim(people::Claim),
    /// Make, show or check the list of stolen passwords that nobody may choose
    PasswordList(passwords::PasswordList),
    /// List and describe what may be asked of the departments, and ask it
    Operation(operation::Operation),
    /// Show how records are labelled, tag programmes and VIPs, relabel
    Labels(labels::Labels),
    /// Show which reminders of visits were sent, failed or were not sent, and why
    Reminders(reminders::Reminders),
    /// Make, show, change or destroy the keys that the data folder is encrypted under
    #[command(subcommand)]
    Keys(Keys),
    /// Check, show, report, prove or send the access log
    #[command(subcommand)]
    Audit(Audit),
    /// Look at this machine and its settings, and say what is weak
    Doctor(Doctor),
    /// Make a certificate for development
    #[command(subcommand)]
    Tls(Tls),
    /// Check or show the settings
    #[command(subcommand)]
    Config(Config),
    /// Print the version
    Version,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Serve the demo clinic, made first if the data folder is empty [data folder: plummer-data/demo]
    #[arg(long)]
    pub(crate) demo: bool,
    /// Patients of the demo clinic
    #[arg(long, default_value_t = 200, requires = "demo")]
    pub(crate) demo_patients: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// Files (.json, .ndjson, also .gz, .zst, .tar, .tar.gz, .tgz, .tar.zst), folders, or - for standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Go on past a bad resource; of a transaction with one, store the others
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Write the receipt as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Threads that parse and validate [default: the number of processors]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The folder to write to; made if it is not there, and must be empty
    pub(crate) to: PathBuf,
    /// Only these types, separated by commas
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Compress each file (.ndjson.zst)
    #[arg(long)]
    pub(crate) zstd: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// How many patients
    #[arg(long, default_value_t = 100)]
    pub(crate) patients: u64,
    /// Another seed, another clinic
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The day the clinic is set on [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<String>,
    /// A folder for one NDJSON file per type, or - for standard output
    #[arg(long, default_value = "-", value_name = "DIR|-")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The folder to make
    pub(crate) to: PathBuf,
    /// Copy the keys to this folder too, in place of those there; not the root key
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keys_to: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// A folder that `plummer backup` made
    pub(crate) from: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make the root key where `root_key` says; never in place of one that is there
    Init,
    /// Say where the keys are and what state they are in, without opening them
    Show,
    /// Put a new tenant's key in place of the old one, so that older copies of the keys open nothing
    Rotate,
    /// Put a new root key in place of the old one, sealed by a passphrase or by none
    Passphrase(Passphrase),
    /// Put the keys under a root key that another holds; say in the settings that it does, afterwards
    Move(Move),
    /// Wrap the tenant's key anew, under the newest version of the root key that is held elsewhere
    Rewrap,
    /// Destroy a patient's key: everything about this patient alone is unreadable from then on
    Shred(Shred),
    /// Print the certificates of destroyed keys, signed
    Certificates,
    /// Seal a data folder that is plain; the server must be stopped
    Encrypt,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Passphrase {
    /// A file with the new passphrase, mode 0600; without it the new root key is not sealed
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Move {
    /// Who is to hold the root key: what `root_key_holder` may be
    #[arg(long, value_name = "HOLDER", value_parser = clap::builder::PossibleValuesParser::new(HOLDERS))]
    pub(crate) to: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Shred {
    /// The id of the patient
    #[arg(long, value_name = "ID")]
    pub(crate) patient: String,
    /// It is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Read the whole access log and name the first event that is altered, missing or out of order
    Verify(AuditVerify),
    /// Print events as JSON lines
    Show(AuditFilter),
    /// Print a sorted report of events, for people or a spreadsheet
    Report(AuditReport),
    /// Write events in a form that other systems read
    Export(AuditExport),
    /// Prove that an event is in the log, to someone who does not have it
    Prove(AuditProve),
    /// Check such a proof, without the log
    CheckProof(AuditCheckProof),
    /// Keep a checkpoint that a witness has cosigned
    Cosigned(AuditCosigned),
    /// Print what stands out in the log and may be snooping, ranked; the server must be stopped
    Signals(AuditSignals),
    /// List, show, assign and decide the cases of broken glasses and of what stands out
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Send events to a syslog collector as they are written, from where it last stopped
    Send(AuditSend),
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditVerify {
    /// The key that signs the checkpoints, or a file with it [default: the file `key` beside the log]
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// A checkpoint kept elsewhere, which the log must agree with; may stand more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// The key of a witness, or a file with it; what it cosigned must agree; may stand more than once
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: Vec<String>,
}

#[derive(Debug, Default, clap::Args)]
pub(crate) struct AuditFilter {
    /// Only events that concern this patient's id
    #[arg(long, value_name = "ID")]
    pub(crate) patient: Option<String>,
    /// Only events of this kind, such as read or search
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only events of this actor
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Not before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// From this event's number on
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) from_seq: u64,
    /// Only events that ended so: ok, failed or denied
    #[arg(long)]
    pub(crate) outcome: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditReport {
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// The field to sort by, such as time, actor, kind, outcome or patients; `field:desc` turns it round
    #[arg(long, default_value = "time", value_name = "FIELD")]
    pub(crate) sort: String,
    /// text, csv or ndjson
    #[arg(long, default_value = "text")]
    pub(crate) format: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditExport {
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// ndjson, balp (FHIR resources, one a line) or rfc5424 (syslog messages, one a line)
    #[arg(long, default_value = "ndjson")]
    pub(crate) format: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditProve {
    /// The event's number
    #[arg(long, value_name = "N")]
    pub(crate) event: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditCheckProof {
    /// The proof
    pub(crate) file: PathBuf,
    /// The key of the log it comes from, or a file with it
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,
    /// The key of a witness, or a file with it; told when it cosigned; may stand more than once
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditCosigned {
    /// The checkpoint with the witness's signature
    pub(crate) file: PathBuf,
    /// The key of the witness, or a file with it
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditSignals {
    /// Not before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditSend {
    /// tls://host:port (RFC 5425) or, inside one machine, tcp://127.0.0.1:port
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// The certificates that the collector's must be signed by, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Go on with what is written from now on, until stopped
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tls {
    /// Make a certificate that nobody trusts yet, and its key
    SelfSigned(SelfSigned),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SelfSigned {
    /// The names and addresses it is for
    #[arg(long = "name", value_name = "HOST", default_values = ["localhost", "127.0.0.1", "::1"])]
    pub(crate) names: Vec<String>,
    /// How many days it holds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
    /// The folder for tls.pem and tls.key
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check the settings in force and change nothing
    Check,
    /// Print every setting, its value, and where the value comes from
    Show,
}
