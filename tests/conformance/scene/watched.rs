//! A server that does nothing but tell how it is doing.

use keystead::directory::{ResultCode, Timestamp};
use keystead::operations::monitor::{Connected, Connections, Monitor, Operations, Part, Readings};
use keystead::protocol::Operation;

#[derive(Debug)]
pub struct Watched;

/// How many connections there are.
pub const CONNECTIONS: u64 = 40;

impl Monitor for Watched {
    fn readings(&self) -> Readings {
        Readings {
            started: Timestamp::parse(b"20260601000000Z").unwrap(),
            connections: Connections { current: CONNECTIONS, total: 77, most: 1_000 },
            operations: vec![
                Operations { operation: Operation::Bind, initiated: 5, completed: 4 },
                Operations { operation: Operation::Search, initiated: 20, completed: 20 },
            ],
            results: vec![(ResultCode::Success, 23), (ResultCode::InvalidCredentials, 1)],
            entries_sent: 321,
            octets_sent: 45_678,
            octets_received: 1_234,
            parts: vec![Part { name: "Hashing", numbers: vec![("Queue", 3), ("Threads", 2)] }],
            store_failure: None,
            withheld: vec!["the rule is out of force".to_owned()],
        }
    }

    fn connections_after(&self, after: u64, limit: usize) -> Vec<Connected> {
        let connected = |number| Connected {
            number,
            from: "192.0.2.7".to_owned(),
            since: Timestamp::parse(b"20260601110000Z").unwrap(),
            who: if number == 7 { "uid=alice,ou=people,dc=example,dc=com".to_owned() } else { String::new() },
        };
        (after + 1..=CONNECTIONS).take(limit).map(connected).collect()
    }
}
