//! Lines of the log as they are written to a file or a pipe: time, level, target, what is said, and `name=value` for each
//! field. The same as `tracing-subscriber` writes them without colours, at a third of its cost, which counts since every
//! request but a search has a line; and what clients send can neither begin a line of its own nor colour a terminal.

use std::fmt::{self, Debug, Write};

use jiff::Timestamp;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes one line for each event. There are no spans here, so none are written.
#[derive(Debug)]
pub(super) struct LogLine;

const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        TIME.print_timestamp(&Timestamp::now(), StdFmtWrite(&mut out)).map_err(|_| fmt::Error)?;
        out.write_str(level(*event.metadata().level()))?;
        out.write_str(event.metadata().target())?;
        out.write_char(':')?;
        let mut fields = Fields { out, written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        fields.out.write_char('\n')
    }
}

/// The level, with the space around it.
const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => " ERROR ",
        Level::WARN => "  WARN ",
        Level::INFO => "  INFO ",
        Level::DEBUG => " DEBUG ",
        Level::TRACE => " TRACE ",
    }
}

struct Fields<'w> {
    out: Writer<'w>,
    written: fmt::Result,
}

impl Fields<'_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            self.written = self.try_write(field, value);
        }
    }

    fn try_write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) -> fmt::Result {
        self.out.write_char(' ')?;
        if field.name() != "message" {
            let name = field.name();
            self.out.write_str(name.strip_prefix("r#").unwrap_or(name))?;
            self.out.write_char('=')?;
        }
        value(&mut self.out)
    }
}

/// Writes control characters as escapes.
struct Clean<'o, 'w>(&'o mut Writer<'w>);

impl Write for Clean<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.chars().any(char::is_control) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|c| match c {
            c if c.is_control() => write!(self.0, "{}", c.escape_default()),
            c => self.0.write_char(c),
        })
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, |out| write!(Clean(out), "{value:?}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |out| out.write_str(itoa::Buffer::new().format(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // What has nothing in it that must be escaped, which is most, is written as it is.
        let is_plain = |octet: u8| matches!(octet, b' '..=b'~') && octet != b'"' && octet != b'\\';
        if field.name() == "message" {
            return self.write(field, |out| Clean(out).write_str(value));
        }
        if !value.bytes().all(is_plain) {
            return self.record_debug(field, &value);
        }
        self.write(field, |out| {
            out.write_char('"')?;
            out.write_str(value)?;
            out.write_char('"')
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.write(field, |out| {
            let mut out = Clean(out);
            write!(out, "{value}")?;
            let mut cause = value.source();
            while let Some(error) = cause {
                write!(out, ": {error}")?;
                cause = error.source();
            }
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is written while `work` is done, without the time at the beginning of each line.
    fn lines(work: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let log = tracing_subscriber::fmt().with_ansi(false).event_format(LogLine).with_writer(written.clone());
        tracing::subscriber::with_default(log.finish(), work);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let time = "2026-11-30T16:14:44.123456Z".len();
        text.lines()
            .map(|line| {
                assert!(line[..time].parse::<Timestamp>().is_ok(), "{line}");
                line[time..].to_owned()
            })
            .collect()
    }

    #[test]
    fn a_line_has_level_target_message_and_fields() {
        let said = lines(|| {
            let none: Option<&str> = None;
            tracing::info!(target: "access", conn = 7_u64, op = "bind", by = none, us = 12_u64, took = ?[1, 2]);
            tracing::warn!(target: "keystead", source = %"::1", "many fail");
            tracing::error!(target: "keystead", error = &io::Error::other("no disk") as &dyn std::error::Error, "alas");
        });
        let expected = [
            r#"  INFO access: conn=7 op="bind" us=12 took=[1, 2]"#,
            "  WARN keystead: many fail source=::1",
            " ERROR keystead: alas error=no disk",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn what_clients_send_begins_no_line_and_colours_nothing() {
        let said = lines(|| {
            tracing::info!(target: "access", who = "cn=a\"b\nWARN", name = %"x\ny\u{1b}[31m", "one\ntwo");
        });
        assert_eq!(said, [r#"  INFO access: one\ntwo who="cn=a\"b\nWARN" name=x\ny\u{1b}[31m"#]);
    }
}
