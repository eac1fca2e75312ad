//! What a filter costs: made ready once for each search, and tested for each entry that may match.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keystead::directory::filter::{Facts, Filter, Matcher};
use keystead::directory::schema::AttributeSet;
use keystead::directory::{Attribute, Attributes, Dn, Entry, Schema};

const FILTERS: &[&str] = &[
    "(uid=p4711)",
    "(&(objectClass=inetOrgPerson)(uid=p4711))",
    "(|(cn=some*)(mail=*example*)(telephoneNumber=+49*))",
    "(&(objectClass=person)(!(title=porter))(|(sn=a*)(sn=b*)))",
];

fn filter(criterion: &mut Criterion) {
    let schema = Schema::standard();
    let values = [
        ("objectClass", &["top", "person", "organizationalPerson", "inetOrgPerson"][..]),
        ("uid", &["p4711"]),
        ("cn", &["Somebody"]),
        ("sn", &["Body"]),
        ("title", &["Clerk"]),
        ("mail", &["somebody@example.com"]),
        ("telephoneNumber", &["+49 30 1234567"]),
    ];
    let attribute = |(name, values): (&str, &[&str])| Attribute {
        description: schema.describe(name).unwrap(),
        values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
    };
    let entry = Entry::encode(&values.map(attribute).into_iter().collect::<Attributes>(), &schema);
    let dn = Dn::parse(&schema, "uid=p4711,ou=people,dc=example,dc=com").unwrap();
    let searchable = AttributeSet::first(schema.attribute_types().len());
    let entries = [&entry];
    let facts = Facts { entries: &entries, searchable: &searchable, dn: &dn, schema: &schema };
    for text in FILTERS {
        let filter = Filter::parse(text).unwrap();
        let matcher = Matcher::prepare(&filter, &schema);
        let mut group = criterion.benchmark_group(*text);
        group.bench_function("make ready", |bencher| bencher.iter(|| Matcher::prepare(black_box(&filter), &schema)));
        group.bench_function("test an entry", |bencher| bencher.iter(|| black_box(&matcher).evaluate(&facts)));
        group.finish();
    }
}

criterion_group!(benches, filter);
criterion_main!(benches);
