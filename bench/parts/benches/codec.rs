//! What reading a request and writing an answer cost: for each search once.

use std::hint::black_box;

use bytes::{BufMut, BytesMut};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use keystead::directory::{Attribute, Attributes, Dn, Entry, Schema};
use keystead::protocol::entry_writer::{Envelope, Values, put_entry};
use keystead::protocol::{Framing, MessageId};

/// A search below `dc=example,dc=com` for `(uid=p4711)`, as `ldapsearch` sends it.
fn search() -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let mut out = vec![tag, u8::try_from(content.len()).unwrap()];
        out.put_slice(content);
        out
    };
    let equal = element(0xa3, &[element(4, b"uid"), element(4, b"p4711")].concat());
    let fields = [
        element(4, b"dc=example,dc=com"),
        element(10, &[2]),
        element(10, &[0]),
        element(2, &[0]),
        element(2, &[0]),
        element(1, &[0]),
        equal,
        element(0x30, &[element(4, b"cn"), element(4, b"mail")].concat()),
    ];
    element(0x30, &[element(2, &[7]), element(0x63, &fields.concat())].concat())
}

fn entry(schema: &Schema) -> Entry {
    let values = [
        ("objectClass", "inetOrgPerson"),
        ("uid", "p4711"),
        ("cn", "Somebody"),
        ("sn", "Body"),
        ("mail", "somebody@example.com"),
        ("telephoneNumber", "+49 30 1234567"),
    ];
    let attribute = |(name, value): (&str, &str)| Attribute {
        description: schema.describe(name).unwrap(),
        values: vec![value.as_bytes().to_vec()],
    };
    Entry::encode(&values.map(attribute).into_iter().collect::<Attributes>(), schema)
}

fn codec(criterion: &mut Criterion) {
    let message = search();
    let framing = Framing { max_octets: 1 << 20, max_elements: 10_000 };
    criterion.bench_function("read a search request", |bencher| {
        bencher.iter_batched_ref(
            || BytesMut::from(message.as_slice()),
            |buffer| framing.next(black_box(buffer)).unwrap().unwrap(),
            BatchSize::SmallInput,
        );
    });
    let schema = Schema::standard();
    criterion.bench_function("read a name of four parts", |bencher| {
        bencher.iter(|| Dn::parse(&schema, black_box("uid=p4711,ou=people,dc=example,dc=com")).unwrap());
    });
    let entry = entry(&schema);
    let attributes: Vec<_> = entry.attributes().map(|one| one.octets).collect();
    let id = MessageId(7);
    let mut out = BytesMut::new();
    criterion.bench_function("write an entry of six attributes", |bencher| {
        bencher.iter(|| {
            out.clear();
            let envelope =
                Envelope { id, dn: "uid=p4711,ou=people,dc=example,dc=com", values: Values::Included, controls: &[] };
            put_entry(&mut out, &envelope, attributes.iter().copied());
            black_box(out.len())
        });
    });
    criterion.bench_function("take an entry apart and put it together", |bencher| {
        bencher.iter(|| Entry::encode(&black_box(&entry).decode(), &schema));
    });
}

criterion_group!(benches, codec);
criterion_main!(benches);
