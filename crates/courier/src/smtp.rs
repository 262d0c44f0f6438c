//! Handing mail to the operator's own mail server: SMTP submission (RFC 5321, RFC 6409) with STARTTLS (RFC
//! 3207) or TLS at once (RFC 8314), and a password (RFC 4954). The verbs that one message to one address
//! needs, and no more.
//!
//! A password is said by TLS alone, and nothing is sent in plain beyond this machine: a server that no longer
//! offers TLS is one that somebody stands before.

use crate::address::{Email, To};
use crate::{Message, Sender, Unsent, mail, refused, unavailable};
use base::error::code;
use base::{Clock, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egress::{Purpose, Trust, Wire, Wiring};
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const PURPOSE: Purpose = Purpose("mail");
/// Bytes of one line of an answer (RFC 5321 section 4.5.3.1.5 says 512; many say more), and lines of one.
const LINE_MAX: usize = 2_000;
const LINES_MAX: usize = 100;

/// How the way to the mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS is begun upon the connection; without it nothing is sent. Port 587 as a rule.
    StartTls,
    /// TLS from the first byte. Port 465 as a rule.
    Implicit,
    /// None: for a server on this machine alone.
    None,
}

/// Who we are to the mail server.
#[derive(Clone)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(‹secret›)")
    }
}

/// How mail is handed on.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: Security,
    /// Who we are to it, where it asks.
    pub credentials: Option<Credentials>,
    /// From whom mail comes, and where answers go.
    pub from: Email,
    /// The name that people see.
    pub from_name: String,
    /// How long one message may take, all in all.
    pub patience: Duration,
}

/// A mail server that takes our mail.
#[derive(Debug)]
pub struct Smtp {
    wiring: Wiring,
    settings: SmtpSettings,
}

impl Smtp {
    /// A server that is asked when there is something to send.
    ///
    /// # Errors
    /// As [`Wiring::new`].
    pub fn new(
        settings: SmtpSettings,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let wiring = Wiring::new(&settings.host, settings.port, trust, clock)?;
        Ok(Self { wiring, settings })
    }

    /// Connects, proves who we are, and leaves: whether mail could be handed on now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), Fault> {
        let mut talk = self.greeted().map_err(|unsent| unsent.fault().clone())?;
        talk.leave();
        Ok(())
    }

    fn greeted(&self) -> Result<Talk, Unsent> {
        let settings = &self.settings;
        let open = self.wiring.open(PURPOSE, settings.patience).map_err(Unsent::later)?;
        let plain = settings.security == Security::None;
        if plain && !open.is_local() {
            let say = "without TLS mail is handed to a server on this machine alone";
            return Err(Unsent::later(unavailable(say)));
        }
        let open = match settings.security {
            Security::Implicit => open.secure().map_err(Unsent::later)?,
            Security::StartTls | Security::None => open,
        };
        let mut talk = Talk { wire: open, ahead: Vec::new() };
        talk.heard(Step::Greeting)?;
        let mut offers = talk.say(Step::Hello, &self.hello())?;
        if settings.security == Security::StartTls {
            if !offers.offers("STARTTLS") {
                return Err(Unsent::later(unavailable("the mail server offers no TLS")));
            }
            talk.say(Step::Tls, "STARTTLS")?;
            // What was sent before TLS and is read after it would be believed (CVE-2011-0411).
            if !talk.ahead.is_empty() {
                return Err(Unsent::later(unavailable("the mail server spoke before TLS began")));
            }
            talk.wire = talk.wire.secure().map_err(Unsent::later)?;
            offers = talk.say(Step::Hello, &self.hello())?;
        }
        if let Some(credentials) = &settings.credentials {
            talk.sign_in(credentials, &offers)?;
        }
        Ok(talk)
    }

    fn hello(&self) -> String {
        let domain = self.settings.from.expose().rsplit_once('@').map(|(_, domain)| domain);
        format!("EHLO {}", domain.unwrap_or("localhost"))
    }
}

impl Sender for Smtp {
    fn carries(&self, to: &To) -> bool {
        matches!(to, To::Email(_))
    }

    fn send(&self, message: &Message) -> Result<(), Unsent> {
        message.check().map_err(Unsent::Refused)?;
        let To::Email(to) = &message.to else {
            return Err(Unsent::Refused(crate::invalid("a mail server carries mail alone")));
        };
        let from = &self.settings.from;
        let mail = mail::write(message, to, from, &self.settings.from_name);
        let mail = mail.map_err(Unsent::Refused)?;
        let mut talk = self.greeted()?;
        talk.say(Step::From, &format!("MAIL FROM:<{}>", from.expose()))?;
        talk.say(Step::To, &format!("RCPT TO:<{}>", to.expose()))?;
        talk.say(Step::Data, "DATA")?;
        // A line that begins with a full stop would end the mail (RFC 5321 section 4.5.2).
        let stuffed = mail.replace("\r\n.", "\r\n..");
        talk.write(stuffed.as_bytes())?;
        talk.say(Step::Body, ".")?;
        talk.leave();
        Ok(())
    }
}

/// Where in the talk an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Greeting,
    Hello,
    Tls,
    SignIn,
    From,
    To,
    Data,
    Body,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::Tls => "STARTTLS",
            Self::SignIn => "AUTH",
            Self::From => "MAIL",
            Self::To => "RCPT",
            Self::Data => "DATA",
            Self::Body => "the message",
        }
    }

    /// Whether a refusal for good is about this message: any other is about us, and is mended by the
    /// operator, so that the message waits.
    const fn is_of_message(self) -> bool {
        matches!(self, Self::To | Self::Body)
    }
}

/// What the server said: its code, and the words of each line.
struct Said {
    code: u16,
    lines: Vec<String>,
}

impl Said {
    fn offers(&self, word: &str) -> bool {
        self.words(word).is_some()
    }

    /// What follows a word that begins a line, the greeting's aside.
    fn words(&self, word: &str) -> Option<String> {
        self.lines.iter().skip(1).find_map(|line| {
            let (first, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
            first.eq_ignore_ascii_case(word).then(|| rest.to_ascii_uppercase())
        })
    }
}

struct Talk {
    wire: Wire,
    ahead: Vec<u8>,
}

impl Talk {
    fn say(&mut self, step: Step, line: &str) -> Result<Said, Unsent> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.heard(step)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Unsent> {
        let sent = self.wire.write_all(bytes).and_then(|()| self.wire.flush());
        sent.map_err(|_quoting| Unsent::later(broke_off()))
    }

    /// The next answer, when it is one that lets us go on.
    fn heard(&mut self, step: Step) -> Result<Said, Unsent> {
        let said = self.answer().map_err(Unsent::later)?;
        let fine = match step {
            Step::Data => said.code == 354,
            Step::SignIn => said.code == 235 || said.code == 334,
            _ => (200..300).contains(&said.code),
        };
        if fine {
            return Ok(said);
        }
        // The words of the answer may quote the address: its numbers do not.
        let say = format!("the mail server answered {} to {}", said.code, step.name());
        Err(match (said.code / 100, step.is_of_message()) {
            (5, true) => Unsent::Refused(refused(say)),
            _ => Unsent::later(unavailable(say)),
        })
    }

    fn sign_in(&mut self, credentials: &Credentials, offers: &Said) -> Result<(), Unsent> {
        if !self.wire.is_secure() && !self.wire.is_local() {
            return Err(Unsent::later(unavailable("a password is said by TLS alone")));
        }
        let ways = offers.words("AUTH").unwrap_or_default();
        let ways: Vec<&str> = ways.split_whitespace().collect();
        let encode = |text: &str| Zeroizing::new(STANDARD.encode(text));
        let last = if ways.contains(&"PLAIN") {
            let both = Zeroizing::new(format!(
                "\0{}\0{}",
                credentials.user,
                credentials.password.as_str()
            ));
            let line = Zeroizing::new(format!("AUTH PLAIN {}", encode(&both).as_str()));
            self.say(Step::SignIn, &line)?
        } else if ways.contains(&"LOGIN") {
            self.say(Step::SignIn, "AUTH LOGIN")?;
            self.say(Step::SignIn, &encode(&credentials.user))?;
            self.say(Step::SignIn, &encode(&credentials.password))?
        } else {
            let say = "the mail server takes no password by PLAIN or LOGIN";
            return Err(Unsent::later(unavailable(say)));
        };
        if last.code == 235 {
            Ok(())
        } else {
            Err(Unsent::later(unavailable("the mail server did not finish signing us in")))
        }
    }

    fn answer(&mut self) -> Result<Said, Fault> {
        let mut said = Said { code: 0, lines: Vec::new() };
        while said.lines.len() < LINES_MAX {
            let line = self.line()?;
            let code: Option<u16> = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.filter(|code| (200..600).contains(code)).ok_or_else(odd)?;
            if said.code != 0 && said.code != code {
                return Err(odd());
            }
            said.code = code;
            let more = line.get(3..4) == Some("-");
            said.lines.push(line.get(4..).unwrap_or_default().to_owned());
            if !more {
                return Ok(said);
            }
        }
        Err(odd())
    }

    fn line(&mut self) -> Result<String, Fault> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.ahead.len() > LINE_MAX {
                return Err(odd());
            }
            let mut some = [0; 512];
            let got = self.wire.read(&mut some).map_err(|_quoting| broke_off())?;
            let got = some.get(..got).unwrap_or_default();
            if got.is_empty() {
                return Err(broke_off());
            }
            self.ahead.extend_from_slice(got);
        }
    }

    /// What was taken is taken, whatever is said to this.
    fn leave(&mut self) {
        let _ = self.wire.write_all(b"QUIT\r\n").and_then(|()| self.wire.flush());
    }
}

fn broke_off() -> Fault {
    Fault::new(
        &code::COURIER_UNAVAILABLE,
        "the talk with the mail server broke off, or took too long",
    )
}

fn odd() -> Fault {
    Fault::new(&code::COURIER_UNAVAILABLE, "the mail server answered what is no answer of SMTP")
}
