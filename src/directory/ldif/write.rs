//! Writing LDIF.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 2849 sets no width; this is what everybody folds at.
const WIDTH: usize = 76;

/// Writes `dn: ...`.
pub fn write_dn(out: &mut Vec<u8>, dn: &str) {
    write_attribute(out, "dn", dn.as_bytes());
}

/// Writes one value, in base64 where the text form would not survive (RFC 2849, `SAFE-STRING`).
pub fn write_attribute(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let mut line = Vec::with_capacity(name.len() + value.len() + 3);
    line.extend_from_slice(name.as_bytes());
    if is_safe(value) {
        line.push(b':');
        if !value.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(value);
    } else {
        line.extend_from_slice(b":: ");
        line.extend_from_slice(STANDARD.encode(value).as_bytes());
    }
    write_line(out, &line);
}

/// Writes a line, folded.
pub fn write_line(out: &mut Vec<u8>, line: &[u8]) {
    let (first, rest) = line.split_at_checked(WIDTH).unwrap_or((line, &[]));
    out.extend_from_slice(first);
    out.push(b'\n');
    for piece in rest.chunks(WIDTH - 1) {
        out.push(b' ');
        out.extend_from_slice(piece);
        out.push(b'\n');
    }
}

fn is_safe(value: &[u8]) -> bool {
    let printable = value.iter().all(|octet| octet.is_ascii() && !matches!(octet, 0 | b'\n' | b'\r'));
    let first = value.first().is_none_or(|first| !matches!(first, b' ' | b'\t' | b':' | b'<'));
    // Others than we may cut off a tab as well as a space.
    printable && first && !matches!(value.last(), Some(b' ' | b'\t'))
}
