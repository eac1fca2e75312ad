//! Reading LDIF.

use std::io::{self, BufRead};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{AttributeChange, Body, ModificationKind, Record};

/// A fault in LDIF, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct LdifError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: LdifErrorKind,
}

/// What is wrong with LDIF.
#[derive(Debug, thiserror::Error)]
pub enum LdifErrorKind {
    /// The source cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line has no colon.
    #[error("a colon is missing: each line is a name, a colon and a value")]
    NoColon,
    /// A name is malformed.
    #[error("{0:?} is no attribute name")]
    BadName(String),
    /// The value behind `::` is no base64.
    #[error("the value behind :: is not base64")]
    BadBase64,
    /// The value behind `:<` cannot be had.
    #[error("the value cannot be read from {url}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A record does not begin with `dn:`.
    #[error("a record begins with dn:, not with {0:?}")]
    NoDn(String),
    /// A name is no UTF-8.
    #[error("the value of {0} is not UTF-8")]
    NotText(&'static str),
    /// A version other than 1.
    #[error("LDIF version {0:?} is not known, only 1")]
    BadVersion(String),
    /// A continuation line with nothing to continue.
    #[error("a continuation line stands where nothing can be continued")]
    NothingToContinue,
    /// A record has a name and nothing else.
    #[error("the record says nothing of its entry")]
    Empty,
    /// A change type or what belongs to it is malformed.
    #[error("{found:?} stands where {expected} is expected")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
}

/// How the value behind `:<` is had.
type UrlReader = Box<dyn Fn(&str) -> Result<Vec<u8>, String> + Send>;

/// Reads records one after another, so that a file of any size needs the memory of one record.
pub struct Reader<R> {
    source: R,
    line: usize,
    /// A line that was read too far.
    ahead: Option<Line>,
    started: bool,
    failed: bool,
    fetch_url: Option<UrlReader>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Field {
    line: usize,
    name: String,
    value: Vec<u8>,
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("line", &self.line).finish_non_exhaustive()
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let record = self.record().transpose();
        self.failed = matches!(record, Some(Err(_)));
        record
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads from `source`. Values that stand elsewhere (`:<`) are refused.
    pub fn new(source: R) -> Self {
        Self { source, line: 0, ahead: None, started: false, failed: false, fetch_url: None }
    }

    /// Has `read` fetch the values that stand elsewhere (`:<`).
    #[must_use]
    pub fn with_url_reader(mut self, read: impl Fn(&str) -> Result<Vec<u8>, String> + Send + 'static) -> Self {
        self.fetch_url = Some(Box::new(read));
        self
    }

    /// The line that was read last, for a progress bar or a message.
    pub const fn line(&self) -> usize {
        self.line
    }

    fn record(&mut self) -> Result<Option<Record>, LdifError> {
        let mut fields = self.fields()?;
        if !self.started {
            self.started = true;
            if let Some(first) = fields.first().filter(|first| first.name.eq_ignore_ascii_case("version")) {
                if first.value != b"1" {
                    let version = String::from_utf8_lossy(&first.value).into_owned();
                    return Err(fault(first.line, LdifErrorKind::BadVersion(version)));
                }
                fields.remove(0);
                if fields.is_empty() {
                    fields = self.fields()?;
                }
            }
        }
        if fields.is_empty() { Ok(None) } else { record(fields).map(Some) }
    }

    /// The fields up to the next empty line; none at the end.
    fn fields(&mut self) -> Result<Vec<Field>, LdifError> {
        let mut fields = Vec::new();
        while let Some(line) = self.logical_line()? {
            match line.text.as_slice() {
                [] if fields.is_empty() => {}
                [] => break,
                [b'#', ..] => {}
                _ => fields.push(self.field(&line)?),
            }
        }
        Ok(fields)
    }

    /// A line with what continues it.
    fn logical_line(&mut self) -> Result<Option<Line>, LdifError> {
        let first = match self.ahead.take() {
            Some(line) => Some(line),
            None => self.physical_line()?,
        };
        let Some(mut line) = first else { return Ok(None) };
        if line.text.first() == Some(&b' ') {
            return Err(fault(line.number, LdifErrorKind::NothingToContinue));
        }
        while let Some(next) = self.physical_line()? {
            match next.text.split_first() {
                Some((b' ', rest)) if !line.text.is_empty() => line.text.extend_from_slice(rest),
                _ => {
                    self.ahead = Some(next);
                    break;
                }
            }
        }
        Ok(Some(line))
    }

    fn physical_line(&mut self) -> Result<Option<Line>, LdifError> {
        let mut text = Vec::new();
        let number = self.line + 1;
        let read = self.source.read_until(b'\n', &mut text).map_err(|error| fault(number, error.into()))?;
        if read == 0 {
            return Ok(None);
        }
        self.line = number;
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        Ok(Some(Line { number, text }))
    }

    fn field(&self, line: &Line) -> Result<Field, LdifError> {
        let error = |kind| fault(line.number, kind);
        if line.text == b"-" {
            return Ok(Field { line: line.number, name: "-".to_owned(), value: Vec::new() });
        }
        let colon = memchr::memchr(b':', &line.text).ok_or_else(|| error(LdifErrorKind::NoColon))?;
        let (name, rest) = line.text.split_at_checked(colon).unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b';' | b'.' | b'_');
        if name.is_empty() || !name.bytes().all(legal) {
            return Err(error(LdifErrorKind::BadName(name)));
        }
        let value = match rest {
            [b':', b':', encoded @ ..] => {
                STANDARD.decode(encoded.trim_ascii()).map_err(|_| error(LdifErrorKind::BadBase64))?
            }
            [b':', b'<', url @ ..] => self.fetch(&String::from_utf8_lossy(url.trim_ascii())).map_err(error)?,
            [b':', text @ ..] => without_fill(text).to_vec(),
            _ => return Err(error(LdifErrorKind::NoColon)),
        };
        Ok(Field { line: line.number, name, value })
    }

    fn fetch(&self, url: &str) -> Result<Vec<u8>, LdifErrorKind> {
        let read = match &self.fetch_url {
            Some(read) => read(url),
            None => Err("values from elsewhere are not read here".to_owned()),
        };
        read.map_err(|reason| LdifErrorKind::Url { url: url.to_owned(), reason })
    }
}

fn fault(line: usize, kind: LdifErrorKind) -> LdifError {
    LdifError { line, kind }
}

fn unexpected(field: Option<&Field>, line: usize, expected: &'static str) -> LdifError {
    let found = field.map_or_else(|| "the end of the record".to_owned(), |field| field.name.clone());
    fault(field.map_or(line, |field| field.line), LdifErrorKind::Unexpected { found, expected })
}

fn text(field: &Field, what: &'static str) -> Result<String, LdifError> {
    let text = std::str::from_utf8(&field.value).map_err(|_| fault(field.line, LdifErrorKind::NotText(what)))?;
    Ok(text.to_owned())
}

fn record(fields: Vec<Field>) -> Result<Record, LdifError> {
    let mut fields = fields.into_iter().peekable();
    let Some(first) = fields.next() else { return Err(fault(0, LdifErrorKind::Empty)) };
    if !first.name.eq_ignore_ascii_case("dn") {
        return Err(fault(first.line, LdifErrorKind::NoDn(first.name)));
    }
    let line = first.line;
    let dn = text(&first, "dn")?;
    let mut controls = Vec::new();
    while let Some(field) = fields.next_if(|field| field.name.eq_ignore_ascii_case("control")) {
        controls.push(control(&field)?);
    }
    let change = fields.next_if(|field| field.name.eq_ignore_ascii_case("changetype"));
    let rest: Vec<Field> = fields.collect();
    let body = match change {
        None if rest.is_empty() => return Err(fault(line, LdifErrorKind::Empty)),
        None => Body::Content(attributes(rest)?),
        Some(change) => match text(&change, "changetype")?.to_ascii_lowercase().as_str() {
            "add" => Body::Add(attributes(rest)?),
            "delete" => Body::Delete,
            "modify" => Body::Modify(modifications(&rest)?),
            "modrdn" | "moddn" => modify_dn(&rest, change.line)?,
            other => {
                let found = other.to_owned();
                let expected = "add, delete, modify, modrdn or moddn";
                return Err(fault(change.line, LdifErrorKind::Unexpected { found, expected }));
            }
        },
    };
    Ok(Record { line, dn, controls, body })
}

fn attributes(fields: Vec<Field>) -> Result<Vec<(String, Vec<u8>)>, LdifError> {
    if let Some(stray) = fields.iter().find(|field| field.name == "-" || field.name.eq_ignore_ascii_case("dn")) {
        return Err(unexpected(Some(stray), stray.line, "an attribute (an empty line ends a record)"));
    }
    Ok(fields.into_iter().map(|field| (field.name, field.value)).collect())
}

/// `control: 1.2.3 true: value`
fn control(field: &Field) -> Result<(String, bool, Option<Vec<u8>>), LdifError> {
    let all = text(field, "control")?;
    let (head, value) = match all.split_once(':') {
        None => (all.as_str(), None),
        Some((head, encoded)) => {
            let value = match encoded.strip_prefix(':') {
                Some(encoded) => {
                    STANDARD.decode(encoded.trim()).map_err(|_| fault(field.line, LdifErrorKind::BadBase64))?
                }
                None => encoded.trim_start_matches(' ').as_bytes().to_vec(),
            };
            (head, Some(value))
        }
    };
    let mut words = head.split_ascii_whitespace();
    let oid = words.next().unwrap_or_default().to_owned();
    let critical = match words.next() {
        None | Some("false") => false,
        Some("true") => true,
        Some(found) => {
            let found = found.to_owned();
            return Err(fault(field.line, LdifErrorKind::Unexpected { found, expected: "true or false" }));
        }
    };
    Ok((oid, critical, value))
}

fn modifications(fields: &[Field]) -> Result<Vec<AttributeChange>, LdifError> {
    let mut changes = Vec::new();
    for block in fields.split(|field| field.name == "-") {
        let Some((head, values)) = block.split_first() else { continue };
        let kind = match head.name.to_ascii_lowercase().as_str() {
            "add" => ModificationKind::Add,
            "delete" => ModificationKind::Delete,
            "replace" => ModificationKind::Replace,
            "increment" => ModificationKind::Increment,
            _ => return Err(unexpected(Some(head), head.line, "add:, delete:, replace: or increment:")),
        };
        let attribute = text(head, "the attribute name")?;
        if let Some(stray) = values.iter().find(|field| !field.name.eq_ignore_ascii_case(&attribute)) {
            return Err(unexpected(Some(stray), stray.line, "a value of the attribute, or a line with - alone"));
        }
        let values = values.iter().map(|field| field.value.clone()).collect();
        changes.push(AttributeChange { kind, attribute, values });
    }
    Ok(changes)
}

fn modify_dn(fields: &[Field], line: usize) -> Result<Body, LdifError> {
    let mut fields = fields.iter();
    let mut named = |name: &'static str, expected| match fields.next() {
        Some(field) if field.name.eq_ignore_ascii_case(name) => text(field, name),
        other => Err(unexpected(other, line, expected)),
    };
    let new_rdn = named("newrdn", "newrdn:")?;
    let delete_old_rdn = match named("deleteoldrdn", "deleteoldrdn:")?.as_str() {
        "0" => false,
        "1" => true,
        other => {
            let found = other.to_owned();
            return Err(fault(line, LdifErrorKind::Unexpected { found, expected: "0 or 1 behind deleteoldrdn:" }));
        }
    };
    let new_superior = match fields.next() {
        None => None,
        Some(field) if field.name.eq_ignore_ascii_case("newsuperior") => Some(text(field, "newsuperior")?),
        Some(other) => return Err(unexpected(Some(other), line, "newsuperior: or the end of the record")),
    };
    if let Some(stray) = fields.next() {
        return Err(unexpected(Some(stray), line, "the end of the record"));
    }
    Ok(Body::ModifyDn { new_rdn, delete_old_rdn, new_superior })
}

/// What stands between the colon and the value are spaces and nothing else (RFC 2849: `FILL`).
fn without_fill(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|octet| **octet == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Record> {
        Reader::new(text.as_bytes()).collect::<Result<_, _>>().unwrap()
    }

    fn fault(text: &str) -> String {
        Reader::new(text.as_bytes()).find_map(Result::err).unwrap().to_string()
    }

    #[test]
    fn entries_of_rfc_2849_are_read() {
        let records = read(
            "version: 1\n# a comment\n#  that goes on\ndn: cn=Barbara Jensen, dc=airius, dc=com\nobjectclass: top\n\
             cn: Barbara\n  Jensen\ndescription:: V2hhdCBhIGNhcmVmdWw=\ntitle:Manager\nempty:\n\n\n\
             dn:: Y249w6Q=\r\ncn: a\r\n",
        );
        let [barbara, other] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!((barbara.line, barbara.dn.as_str()), (4, "cn=Barbara Jensen, dc=airius, dc=com"));
        let shown: Vec<_> = barbara.attributes().iter().map(|(n, v)| format!("{n}={}", v.escape_ascii())).collect();
        assert_eq!(
            shown,
            ["objectclass=top", "cn=Barbara Jensen", "description=What a careful", "title=Manager", "empty="]
        );
        assert_eq!(other.dn, "cn=ä");
    }

    #[test]
    fn changes_of_rfc_2849_are_read() {
        let records = read(
            "dn: cn=a\nchangetype: modify\nadd: mail\nmail: x\nmail: y\n-\ndelete: sn\n-\nreplace: cn\ncn: b\n-\n\
             increment: uidNumber\nuidNumber: 1\n\n\
             dn: cn=b\ncontrol: 1.2.3 true: hello\nchangetype: delete\n\n\
             dn: cn=c\nchangetype: modrdn\nnewrdn: cn=d\ndeleteoldrdn: 1\nnewsuperior: dc=x\n\n\
             dn: cn=e\nchangetype: add\ncn: e\n",
        );
        let [modify, delete, rename, add] = records.as_slice() else { panic!("{records:?}") };
        let Body::Modify(changes) = &modify.body else { panic!("{modify:?}") };
        assert_eq!(changes.len(), 4);
        assert_eq!((changes[0].kind, changes[0].attribute.as_str()), (ModificationKind::Add, "mail"));
        assert_eq!(changes[0].values, [b"x", b"y"]);
        assert_eq!((changes[1].kind, changes[1].values.len()), (ModificationKind::Delete, 0));
        assert_eq!(delete.controls, [("1.2.3".into(), true, Some(b"hello".to_vec()))]);
        assert_eq!(delete.body, Body::Delete);
        assert_eq!(
            rename.body,
            Body::ModifyDn { new_rdn: "cn=d".into(), delete_old_rdn: true, new_superior: Some("dc=x".into()) }
        );
        assert_eq!(add.attributes(), [("cn".into(), b"e".to_vec())]);
    }

    #[test]
    fn faults_name_the_line_and_the_reason() {
        assert_eq!(fault("dn: cn=a\ncn a\n"), "line 2: a colon is missing: each line is a name, a colon and a value");
        assert_eq!(fault("cn: a\n"), "line 1: a record begins with dn:, not with \"cn\"");
        assert_eq!(fault("dn: cn=a\ncn:: ???\n"), "line 2: the value behind :: is not base64");
        assert_eq!(fault("version: 2\n\ndn: cn=a\n"), "line 1: LDIF version \"2\" is not known, only 1");
        assert_eq!(fault(" cn: a\n"), "line 1: a continuation line stands where nothing can be continued");
        assert_eq!(fault("dn: cn=a\n\n"), "line 1: the record says nothing of its entry");
        assert!(fault("dn: cn=a\njpegPhoto:< file:///etc/passwd\n").starts_with("line 2: the value cannot be read"));
        assert!(fault("dn: cn=a\nchangetype: what\n").contains("expected"));
        assert!(fault("dn: cn=a\nchangetype: modify\nadd: cn\nsn: a\n").contains("line 4"));
        assert!(fault("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\n").contains("deleteoldrdn"));
        assert!(fault("dn: cn=a\ndn: cn=b\n").contains("empty line"));
        assert!(fault("dn: cn=a\n: b\n").contains("no attribute name"));
    }

    #[test]
    fn a_value_from_elsewhere_is_fetched_where_that_is_allowed() {
        let reader = Reader::new(&b"dn: cn=a\ndescription:< file:///x\n"[..])
            .with_url_reader(|url| Ok(format!("fetched {url}").into_bytes()));
        let record = reader.map(Result::unwrap).next().unwrap();
        assert_eq!(record.attributes()[0].1, b"fetched file:///x");
    }
}
