//! LDAP messages, octet by octet (RFC 4511): made and read by hand, so that nothing of the program under test judges
//! itself.

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const ENUMERATED: u8 = 0x0a;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

pub const BIND: u8 = 0x61;
pub const ENTRY: u8 = 0x64;
pub const SEARCH_DONE: u8 = 0x65;
pub const EXTENDED: u8 = 0x78;

/// An element with these octets inside, as many as BER's definite lengths can count.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut octets = vec![tag];
    if len < 0x80 {
        octets.push(u8::try_from(len).unwrap());
    } else {
        octets.push(0x84);
        octets.extend(u32::try_from(len).unwrap().to_be_bytes());
    }
    octets.extend_from_slice(content);
    octets
}

/// An element with these elements inside.
pub fn with(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

pub fn text(value: &str) -> Vec<u8> {
    element(OCTET_STRING, value.as_bytes())
}

/// A whole number in its shortest form.
pub fn number(tag: u8, value: i32) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let skip = octets.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    element(tag, &octets[skip..])
}

/// An `LDAPMessage`.
pub fn message(id: i32, request: &[u8]) -> Vec<u8> {
    with(SEQUENCE, &[number(INTEGER, id), request.to_vec()])
}

pub fn simple_bind(dn: &str, password: &str) -> Vec<u8> {
    with(0x60, &[number(INTEGER, 3), text(dn), element(0x80, password.as_bytes())])
}

pub fn external_bind() -> Vec<u8> {
    with(0x60, &[number(INTEGER, 3), text(""), with(0xa3, &[text("EXTERNAL")])])
}

/// A search of the whole subtree with a filter of one's own.
pub fn search(base: &str, filter: &[u8], attributes: &[&str]) -> Vec<u8> {
    search_in(base, 2, filter, attributes)
}

/// A search of one entry.
pub fn read(dn: &str, attributes: &[&str]) -> Vec<u8> {
    search_in(dn, 0, &present("objectClass"), attributes)
}

fn search_in(base: &str, scope: i32, filter: &[u8], attributes: &[&str]) -> Vec<u8> {
    let attributes: Vec<_> = attributes.iter().map(|name| text(name)).collect();
    with(
        0x63,
        &[
            text(base),
            number(ENUMERATED, scope),
            number(ENUMERATED, 0),
            number(INTEGER, 0),
            number(INTEGER, 0),
            element(0x01, b"\0"),
            filter.to_vec(),
            with(SEQUENCE, &attributes),
        ],
    )
}

/// `(name=*)`
pub fn present(name: &str) -> Vec<u8> {
    element(0x87, name.as_bytes())
}

/// `(name=value)`
pub fn equal(name: &str, value: &str) -> Vec<u8> {
    with(0xa3, &[text(name), text(value)])
}

pub fn add(dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let one = |(name, value): &(&str, &str)| with(SEQUENCE, &[text(name), with(SET, &[text(value)])]);
    with(0x68, &[text(dn), with(SEQUENCE, &attributes.iter().map(one).collect::<Vec<_>>())])
}

/// `replace: name` with one value.
pub fn replace(dn: &str, name: &str, value: &str) -> Vec<u8> {
    let attribute = with(SEQUENCE, &[text(name), with(SET, &[text(value)])]);
    with(0x66, &[text(dn), with(SEQUENCE, &[with(SEQUENCE, &[number(ENUMERATED, 2), attribute])])])
}

/// `delete: name`, whatever its values are.
pub fn delete_attribute(dn: &str, name: &str) -> Vec<u8> {
    let attribute = with(SEQUENCE, &[text(name), with(SET, &[])]);
    with(0x66, &[text(dn), with(SEQUENCE, &[with(SEQUENCE, &[number(ENUMERATED, 1), attribute])])])
}

/// `delete: name` of one value, and `add: name` of another.
pub fn exchange(dn: &str, name: &str, old: &str, new: &str) -> Vec<u8> {
    let one = |operation: i32, value: &str| {
        let attribute = with(SEQUENCE, &[text(name), with(SET, &[text(value)])]);
        with(SEQUENCE, &[number(ENUMERATED, operation), attribute])
    };
    with(0x66, &[text(dn), with(SEQUENCE, &[one(1, old), one(0, new)])])
}

pub fn delete(dn: &str) -> Vec<u8> {
    element(0x4a, dn.as_bytes())
}

pub fn compare(dn: &str, name: &str, value: &str) -> Vec<u8> {
    with(0x6e, &[text(dn), with(SEQUENCE, &[text(name), text(value)])])
}

pub fn extended(oid: &str, value: Option<&[u8]>) -> Vec<u8> {
    let value = value.map(|value| element(0x81, value)).unwrap_or_default();
    with(0x77, &[element(0x80, oid.as_bytes()), value])
}

pub fn password_modify(who: Option<&str>, old: Option<&str>, new: Option<&str>) -> Vec<u8> {
    let field = |tag: u8, value: Option<&str>| value.map(|text| element(tag, text.as_bytes())).unwrap_or_default();
    let value = with(SEQUENCE, &[field(0x80, who), field(0x81, old), field(0x82, new)]);
    extended("1.3.6.1.4.1.4203.1.11.1", Some(&value))
}

pub fn who_am_i() -> Vec<u8> {
    extended("1.3.6.1.4.1.4203.1.11.3", None)
}

pub fn start_tls() -> Vec<u8> {
    extended("1.3.6.1.4.1.1466.20037", None)
}

pub fn cancel(id: i32) -> Vec<u8> {
    extended("1.3.6.1.1.8", Some(&with(SEQUENCE, &[number(INTEGER, id)])))
}

pub fn abandon(id: i32) -> Vec<u8> {
    let number = number(INTEGER, id);
    element(0x50, &number[2..])
}

pub fn unbind() -> Vec<u8> {
    element(0x42, b"")
}

/// Takes one element off the front: its tag and what is inside.
pub fn take<'o>(octets: &mut &'o [u8]) -> Option<(u8, &'o [u8])> {
    let (tag, first) = (*octets.first()?, *octets.get(1)?);
    let (header, len) = if first < 0x80 {
        (2, usize::from(first))
    } else {
        let count = usize::from(first & 0x7f);
        let lengths = octets.get(2..2 + count)?;
        (2 + count, lengths.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
    };
    let content = octets.get(header..header + len)?;
    *octets = &octets[header + len..];
    Some((tag, content))
}

/// Reads a whole number.
pub fn read_number(content: &[u8]) -> i32 {
    content.iter().fold(0, |number, octet| number << 8 | i32::from(*octet))
}
