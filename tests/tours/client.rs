//! A client that sends whatever a test wants it to, and waits for what comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use crate::ber;
use crate::server::{PATIENCE, Server, full};

/// A connection to a server.
pub struct Client {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
    last_id: i32,
}

trait Stream: Read + Write + Send {
    /// Tells the server that nothing more comes.
    fn end(&self);
}

impl Stream for TcpStream {
    fn end(&self) {
        // A server that has closed the connection knows already.
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for UnixStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// A message from a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub id: i32,
    /// Which kind of answer.
    pub tag: u8,
    /// The result code; 0 for an entry.
    pub code: i32,
    /// The diagnostic message; the name for an entry.
    pub words: String,
    /// Everything inside.
    pub content: Vec<u8>,
}

impl Client {
    /// Connects over TCP, in the clear.
    pub fn plain(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::new(stream)
    }

    /// Connects over the local socket.
    pub fn local(server: &Server) -> Self {
        let stream = UnixStream::connect(server.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self::new(stream)
    }

    /// The same as the superuser of this machine.
    pub fn root(server: &Server) -> Self {
        let mut client = Self::local(server);
        assert_eq!(client.ask(&ber::external_bind()).code, 0);
        client
    }

    /// The same as somebody of the example, with the password that they have now.
    pub fn bound(server: &Server, who: &str, password: &str) -> Self {
        let mut client = Self::local(server);
        assert_eq!(client.bind(who, password), 0);
        client
    }

    fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), received: Vec::new(), last_id: 0 }
    }

    /// Sends octets as they are. A server that has closed the connection reads them no more.
    pub fn send(&mut self, octets: &[u8]) {
        let _ = in_time(self.stream.write_all(octets));
    }

    /// Sends octets as they are and nothing more, and returns everything that comes back.
    pub fn send_last(&mut self, octets: &[u8]) -> Vec<Answer> {
        self.send(octets);
        self.stream.end();
        // A connection that breaks because not all was read has ended as well.
        std::iter::from_fn(|| self.try_receive().unwrap_or_default()).collect()
    }

    /// The next message; `None` at the end of the connection.
    pub fn receive(&mut self) -> Option<Answer> {
        self.try_receive().unwrap()
    }

    /// The same, where the connection may break.
    pub fn try_receive(&mut self) -> std::io::Result<Option<Answer>> {
        loop {
            let mut rest = self.received.as_slice();
            if let Some((_, content)) = ber::take(&mut rest) {
                let answer = Answer::read(content);
                self.received = rest.to_vec();
                return Ok(Some(answer));
            }
            let mut octets = [0; 16_384];
            let count = in_time(self.stream.read(&mut octets))?;
            if count == 0 {
                assert!(self.received.is_empty(), "half a message came");
                return Ok(None);
            }
            self.received.extend_from_slice(&octets[..count]);
        }
    }

    /// Every octet that still comes, until the connection ends or breaks.
    pub fn receive_rest(&mut self) -> Vec<u8> {
        let mut octets = std::mem::take(&mut self.received);
        // What came before it broke is in there all the same.
        let _ = in_time(self.stream.read_to_end(&mut octets));
        octets
    }

    /// Asserts that the server tells why it ends the connection, and ends it.
    #[track_caller]
    pub fn is_told_of_the_end(&mut self) -> Answer {
        let notice = self.receive().unwrap();
        assert_eq!((notice.id, notice.tag), (0, ber::EXTENDED), "{notice:?}");
        assert!(contains(&notice.content, b"1.3.6.1.4.1.1466.20036"), "{notice:?}");
        assert_eq!(self.receive(), None);
        notice
    }

    /// Sends a request with a message id of its own, and returns the id.
    pub fn begin(&mut self, request: &[u8]) -> i32 {
        self.begin_by(|id| ber::message(id, request))
    }

    /// The same with a message that is made for the id.
    pub fn begin_by(&mut self, message: impl FnOnce(i32) -> Vec<u8>) -> i32 {
        self.last_id += 1;
        self.send(&message(self.last_id));
        self.last_id
    }

    /// Sends a request and waits for its answer; entries that come before it are left out.
    #[track_caller]
    pub fn ask(&mut self, request: &[u8]) -> Answer {
        let id = self.begin(request);
        loop {
            let answer = self.receive().unwrap();
            assert_eq!(answer.id, id, "{answer:?}");
            if answer.tag != ber::ENTRY {
                return answer;
            }
        }
    }

    /// The result code of a request; `None` if the server ends before it answers.
    pub fn try_ask(&mut self, request: &[u8]) -> Option<i32> {
        let id = self.begin(request);
        let answer = self.try_receive().ok()??;
        (answer.id == id).then_some(answer.code)
    }

    /// The names that a search finds.
    #[track_caller]
    pub fn find(&mut self, request: &[u8]) -> Vec<String> {
        let id = self.begin(request);
        let mut names = Vec::new();
        loop {
            let answer = self.receive().unwrap();
            assert_eq!((answer.id, answer.code), (id, 0), "{answer:?}");
            if answer.tag != ber::ENTRY {
                return names;
            }
            names.push(answer.words);
        }
    }

    /// The result code of a bind.
    pub fn bind(&mut self, who: &str, password: &str) -> i32 {
        self.ask(&ber::simple_bind(&full(who), password)).code
    }

    /// Who the connection is: empty for nobody.
    pub fn who_am_i(&mut self) -> String {
        String::from_utf8(self.ask(&ber::who_am_i()).value().unwrap()).unwrap()
    }
}

impl Answer {
    fn read(message: &[u8]) -> Self {
        let mut message = message;
        let (_, id) = ber::take(&mut message).unwrap();
        let (tag, content) = ber::take(&mut message).unwrap();
        let mut rest = content;
        let (_, first) = ber::take(&mut rest).unwrap();
        let (code, words) = if tag == ber::ENTRY {
            (0, first)
        } else {
            ber::take(&mut rest).unwrap();
            (ber::read_number(first), ber::take(&mut rest).unwrap().1)
        };
        let words = String::from_utf8_lossy(words).into_owned();
        Self { id: ber::read_number(id), tag, code, words, content: content.to_vec() }
    }

    /// The value of the answer to an extended request.
    pub fn value(&self) -> Option<Vec<u8>> {
        let mut rest = self.content.as_slice();
        let mut parts = std::iter::from_fn(|| ber::take(&mut rest));
        parts.find_map(|(tag, content)| (tag == 0x8b).then(|| content.to_vec()))
    }

    /// The id, the kind and the code.
    pub const fn summary(&self) -> (i32, u8, i32) {
        (self.id, self.tag, self.code)
    }
}

/// A connection that stands still is no end of it, but a failure.
#[track_caller]
fn in_time<T>(done: std::io::Result<T>) -> std::io::Result<T> {
    if let Err(error) = &done {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the server does not go on");
    }
    done
}

/// Whether octets hold others.
pub fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}
