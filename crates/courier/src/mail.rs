//! A message written as mail (RFC 5322, RFC 2045): one part of plain text, its head in ASCII (RFC 2047), and
//! marked as made by a machine so that nobody's holiday note answers it (RFC 3834).

use crate::address::Email;
use crate::{Message, invalid};
use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

/// Letters of a line of the body (RFC 2045 section 6.8).
const LINE: usize = 76;
/// Bytes of text in one encoded word, so that the word has 75 letters at most.
const WORD: usize = 42;

/// The whole mail, each line ended as mail ends them.
pub(crate) fn write(
    message: &Message,
    to: &Email,
    from: &Email,
    from_name: &str,
) -> Result<String, Fault> {
    let seconds = u64::try_from(message.at.0.div_euclid(1000));
    let seconds = seconds.map_err(|_early| invalid("the time of a message is before 1970"))?;
    // The form of HTTP is that of mail, but for the name of the zone.
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    let domain = from.expose().rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let heads = [
        ("From", format!("{} <{}>", encoded(from_name), from.expose())),
        ("To", format!("<{}>", to.expose())),
        ("Subject", encoded(&message.subject)),
        ("Date", date.replace(" GMT", " +0000")),
        ("Message-ID", format!("<{}@{domain}>", message.id)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Language", message.language.clone()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    let mut mail = String::new();
    for (name, value) in heads {
        if value.contains(['\r', '\n']) && name != "Subject" && name != "From" {
            return Err(invalid("a head of a mail is one line"));
        }
        // To a string nothing fails.
        let _ = write!(mail, "{name}: {value}\r\n");
    }
    mail.push_str("\r\n");
    let body = STANDARD.encode(format!("{}\r\n", message.text.replace('\n', "\r\n")));
    for line in body.as_bytes().chunks(LINE) {
        mail.push_str(&String::from_utf8_lossy(line));
        mail.push_str("\r\n");
    }
    Ok(mail)
}

/// A text as a head may hold it: as it stands when it is plain, else in encoded words, folded.
fn encoded(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -'!".contains(c);
    if text.len() <= LINE - 20 && text.chars().all(plain) && !text.contains("=?") {
        return text.trim().to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::To;
    use base::Millis;

    #[test]
    fn a_mail_is_ascii_in_short_lines_and_says_that_a_machine_wrote_it() {
        let to = Email::parse("jane@mail.example").unwrap();
        let from = Email::parse("desk@clinic.example").unwrap();
        let message = Message {
            id: "m-1".to_owned(),
            to: To::Email(to.clone()),
            subject: "Cl\u{ed}nica del Lago, a name that is long enough to need more than one word"
                .to_owned(),
            text: "usted tiene una cita el mi\u{e9}rcoles".repeat(5),
            language: "es".to_owned(),
            at: Millis(1_796_133_600_000),
        };
        let mail = write(&message, &to, &from, "Lake Clinic").unwrap();
        assert!(mail.is_ascii());
        assert!(mail.split("\r\n").all(|line| line.len() <= 78), "{mail}");
        for part in [
            "From: Lake Clinic <desk@clinic.example>\r\n",
            "Message-ID: <m-1@clinic.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Tue, 01 Dec 2026 14:00:00 +0000\r\n",
        ] {
            assert!(mail.contains(part), "{part} in {mail}");
        }
        let body: String = mail.split("\r\n\r\n").nth(1).unwrap().replace("\r\n", "");
        let text = String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
        assert_eq!(text.trim_end(), message.text);
        assert!(encoded("a\r\nBcc: x@y.example").starts_with("=?utf-8?B?"));
    }
}
